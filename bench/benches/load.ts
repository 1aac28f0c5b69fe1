import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { seededRandom } from '../../packages/core/src/index.ts';
import { measureChild } from '../measure/child.ts';
import { lognormal } from '../measure/draws.ts';
import type { Figure } from '../measure/figure.ts';
import { summary } from '../measure/rounds.ts';

const ROUNDS = 9;
const LINES = 10_000;
const WAVES = 10;

/** What `load-and-plan.ts` prints. */
export type LoadAndPlan = z.infer<typeof LoadAndPlan>;
const LoadAndPlan = z.object({
  tasks: z.number(),
  ms: z.number(),
  /** Of what V8 took for the heap: no less than was ever used at once. */
  grownMb: z.number(),
  /** Of what is used, after the garbage is out and while everything is still held. */
  keptMb: z.number(),
});

/** What stands between the start of a run and its first task. */
export async function measureLoad(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'buddy-bench-load-'));
  try {
    await writeFile(join(folder, 'predicted_tasks.jsonl'), predictionLines());
    const rounds: LoadAndPlan[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const program = new URL('../children/load-and-plan.ts', import.meta.url);
      const { stdout } = await measureChild(program, [folder], ['--expose-gc']);
      const measured = LoadAndPlan.parse(JSON.parse(stdout));
      if (measured.tasks !== LINES)
        throw new Error(`${measured.tasks} tasks were planned instead of ${LINES}`);
      rounds.push(measured);
    }
    return [
      {
        name: 'time',
        unit: 'ms',
        ...summary(rounds.map(({ ms }) => ms)),
        target: { is: 'at most', value: 250 },
      },
      {
        name: 'heap growth, all that V8 took for it',
        unit: 'MB',
        ...summary(rounds.map(({ grownMb }) => grownMb)),
        target: { is: 'at most', value: 60 },
      },
      {
        name: 'heap growth, what is kept',
        unit: 'MB',
        ...summary(rounds.map(({ keptMb }) => keptMb)),
      },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** As large and as full as the lines of examples/data. */
function predictionLines(): string {
  const random = seededRandom('load');
  const lines = Array.from({ length: LINES }, (_, at) =>
    JSON.stringify({
      task_id: `task-${String(at).padStart(6, '0')}`,
      wave: 1 + Math.floor((at * WAVES) / LINES),
      agent_id: null,
      predicted_success_probability: Number(random().toFixed(4)),
      priority: Math.floor(10 * random()),
      action: `crm.contacts.${['upsert', 'find', 'tag'][at % 3]}`,
      input: {
        email: `person.${at}@example.com`,
        firstName: 'Ada',
        tags: ['prospect', 'newsletter'],
      },
      predicted_execution_time: Number(lognormal(random, 0.5).toFixed(3)),
      confidence: Number(random().toFixed(2)),
      risk_assessment: 'LOW',
      ...(at % 20 === 19 && { depends_on: [`task-${String(at - 1).padStart(6, '0')}`] }),
      heuristics: ['valid-email', 'peak-hours'],
      timestamp: '2026-11-02T09:00:00.000Z',
    }),
  );
  return `${lines.join('\n')}\n`;
}
