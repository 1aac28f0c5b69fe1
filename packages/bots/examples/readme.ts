import { createBotRegistry, createSupervisor } from '@buddy/bots';

const registry = createBotRegistry({ file: 'bots.json' });
const args = ['-e', "console.log('ready'); setInterval(() => {}, 1_000)"];
const deployment = { command: 'node', args, readiness: { kind: 'line', text: 'ready' } } as const;
await registry.create({ id: 'crawler', role: 'worker', deployment });

const supervisor = createSupervisor({ registry });
supervisor.events.on('botExited', ({ botId, exit }) => console.log(botId, exit.kind));
await supervisor.start('crawler'); // resolves when it is ready
console.log((await registry.get('crawler'))?.status); // running
await supervisor.close(); // crawler requested
console.log((await registry.get('crawler'))?.status); // stopped
