import { writeSync } from 'node:fs';
import { createBotRegistry } from '@buddy/bots';

/*
 * A process that writes until it is killed, or `limit` times: started with the registry's file, a name, and a limit (0 for
 * none). Each round writes a number into its own bot and adds one to `counter`, which all share. It says what was
 * acknowledged, one line each, and says it at once: what stands in a buffer when it is killed would be missing.
 */

const [, , file = '', name = '', limit = '0'] = process.argv;
const registry = createBotRegistry({ file, lockTimeoutMs: 60_000 });

await registry.create({ id: name, role: 'worker', deployment: { command: 'node' } });
const rounds = Number(limit) || Number.POSITIVE_INFINITY;
for (let round = 1; round <= rounds; round += 1) await Promise.all([writeOwn(round), addOne()]);

async function writeOwn(round: number): Promise<void> {
  const { description } = await registry.update(name, { description: `${round}` });
  writeSync(1, `own ${description}\n`);
}

async function addOne(): Promise<void> {
  const { description } = await registry.update('counter', (counter) => ({
    description: `${Number(counter.description) + 1}`,
  }));
  writeSync(1, `counter ${description}\n`);
}
