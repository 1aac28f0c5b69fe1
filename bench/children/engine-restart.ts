import { writeSync } from 'node:fs';
import type * as Agents from '../../packages/agents/src/index.ts';
import type * as Zod from 'zod';
import type * as Core from '../../packages/core/src/index.ts';

// Loads the rest after it has told that it is there: until then it is Node that boots.
tell('booted');
const { setTimeout: wait } = await import('node:timers/promises');
const { createEngine, openJournal }: typeof Agents = await import(
  packageFile('agents', 'dist/index.js')
);
const { defineTool, seededRandom }: typeof Core = await import(
  packageFile('core', 'dist/index.js')
);
const { z }: typeof Zod = await import(packageFile('agents', 'node_modules/zod/index.js'));
const { planWith } = await import('./engines/buddy-plan.ts');
tell('loaded');

// Started by benches/engine-restart.ts with a journal and a number of tasks; goes on with them where it was killed.
const [, , file = '', tasks = '0'] = process.argv;
const random = seededRandom(1);
const call = defineTool({
  name: 'bench.call',
  description: 'Takes its time',
  tier: 1,
  effect: 'pure',
  input: z.unknown(),
  output: z.null(),
  execute: async (_input, { taskId }) => {
    tell('begun', taskId);
    await wait(25 + random() * 50);
    tell('done', taskId);
    return null;
  },
});
const engine = createEngine({ store: openJournal({ file }) });
engine.register(planWith(call, { slots: 20 }));
const { resumed } = await engine.open();
if (resumed === 0) await engine.start('plan', 'plan', { waves: 1, width: Number(tasks) });
const { kind } = await engine.result('plan');
tell(kind);
await engine.close();

/** At once: a process that is killed has told what it did. */
function tell(what: string, taskId = ''): void {
  writeSync(1, `${what} ${performance.timeOrigin + performance.now()} ${taskId}\n`);
}

/** As it is published: benches/engine-restart.ts has built the packages. */
function packageFile(name: string, path: string): string {
  return new URL(`../../packages/${name}/${path}`, import.meta.url).href;
}
