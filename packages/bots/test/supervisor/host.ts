import { createBotRegistry, createSupervisor } from '@buddy/bots';

// Starts the bots of a registry's file, and lets them outlive it; ends when somebody ends it.
const [file = '', folder = ''] = process.argv.slice(2);
const registry = createBotRegistry({ file });
const supervisor = createSupervisor({ registry, orphans: 'leave', logs: { folder } });
await supervisor.startAll();
process.stdout.write('started\n');
