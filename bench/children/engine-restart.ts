import { writeSync } from 'node:fs';

// Loads the rest after it has told that it is there: until then it is Node that boots.
tell('booted');
const { setTimeout: wait } = await import('node:timers/promises');
const { createEngine, openJournal } = await import('../../packages/agents/src/index.ts');
const { registerPlan } = await import('./engines/buddy-plan.ts');
tell('loaded');

// Started by benches/engine-restart.ts with a journal and a number of tasks; goes on with them where it was killed.
const [, , file = '', tasks = '0'] = process.argv;
const engine = createEngine({ store: openJournal({ file }) });
registerPlan(
  engine,
  async (taskId) => {
    tell('begun', taskId);
    await wait(25 + Math.random() * 50);
    tell('done', taskId);
    return null;
  },
  20,
);
const { resumed } = await engine.open();
if (resumed === 0) await engine.start('plan', 'plan', { waves: 1, width: Number(tasks) });
const { kind } = await engine.result('plan');
tell(kind);
await engine.close();

/** At once: a process that is killed has told what it did. */
function tell(what: string, taskId = ''): void {
  writeSync(1, `${what} ${performance.timeOrigin + performance.now()} ${taskId}\n`);
}
