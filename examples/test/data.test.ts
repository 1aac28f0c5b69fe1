import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAgentManager } from '@buddy/agents';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_INPUT } from '../orchestrator/arguments.ts';
import { loadTruth, type TaskTruth } from '../world/truth.ts';
import { filesBelow, runExample, temporaryFolders } from './command.ts';

const folders = temporaryFolders();
afterAll(folders.remove);

const TRUTH = join(DEFAULT_INPUT, '..', 'truth.jsonl');

describe('the shipped data', { timeout: 20_000 }, () => {
  let tasks: Record<string, unknown>[] = [];
  let truth: ReadonlyMap<string, TaskTruth> = new Map();
  const manager = createAgentManager();

  beforeAll(async () => {
    const lines = (await readFile(join(DEFAULT_INPUT, 'predicted_tasks.jsonl'), 'utf8')).split(
      '\n',
    );
    tasks = lines.flatMap((line) => {
      try {
        return [JSON.parse(line)];
      } catch {
        return []; // one of the broken lines
      }
    });
    truth = await loadTruth(TRUTH);
    await manager.load(DEFAULT_INPUT);
  });

  it('is what the generator makes, to the byte', async () => {
    const out = await folders.make();
    expect(await runExample('data/generate.ts', ['--out', out])).toMatchObject({ code: 0 });
    const made = await filesBelow(out);
    expect([...made.keys()]).toEqual([
      'phase20/predicted_schedule.jsonl',
      'phase20/predicted_tasks.jsonl',
      'truth.jsonl',
    ]);
    for (const [path, text] of made) {
      const shipped = await readFile(join(DEFAULT_INPUT, '..', path), 'utf8');
      expect(shipped === text, `${path} is not what data/generate.ts makes`).toBe(true);
    }
  });

  it('differs with the seed', async () => {
    const out = await folders.make();
    await runExample('data/generate.ts', ['--out', out, '--tasks', '10', '--seed', '24']);
    const again = await folders.make();
    await runExample('data/generate.ts', ['--out', again, '--tasks', '10', '--seed', '25']);
    expect(await filesBelow(out)).not.toEqual(await filesBelow(again));
  });

  it('holds 10 000 tasks in 10 waves', () => {
    const { taskCount, waves } = manager.loaded;
    expect(taskCount).toBe(10_000);
    expect(waves).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('has about 2 % lines that are malformed or come twice, and every kind of problem', () => {
    const counts = new Map<string, number>();
    for (const { kind } of manager.loaded.problems) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    const bad = (counts.get('BAD_LINE') ?? 0) + (counts.get('DUPLICATE_ID') ?? 0);
    expect(bad / 10_000).toBeGreaterThan(0.015);
    expect(bad / 10_000).toBeLessThan(0.025);
    expect(Object.fromEntries(counts)).toEqual({
      BAD_LINE: expect.any(Number),
      DUPLICATE_ID: expect.any(Number),
      DEPENDENCY_CYCLE: 3,
      UNKNOWN_DEPENDENCY: 1,
      SCHEDULE_MISMATCH: 1,
    });
  });

  it('has about 5 % of its tasks in chains: search, then contact, then mail', () => {
    const byId = new Map(tasks.map((line) => [line['task_id'], line]));
    const mails = tasks.filter(
      (line) => Array.isArray(line['depends_on']) && line['action'] === 'msgraph.mail.send',
    );
    const chains = new Set(
      mails.flatMap(({ task_id: mail, depends_on: [create] = [''] as unknown[] }) => {
        const contact = byId.get(create);
        const [search] = (contact?.['depends_on'] ?? []) as unknown[];
        const isChain =
          contact?.['action'] === 'gohighlevel.contacts.create' &&
          byId.get(search)?.['action'] === 'mployer.contacts.search';
        return isChain ? [mail] : [];
      }),
    );
    const share = (3 * chains.size) / 10_000;
    expect(share).toBeGreaterThan(0.04);
    expect(share).toBeLessThan(0.06);
  });

  it('comes with the truth of every task, and of no other', () => {
    expect(truth.size).toBe(10_000);
    const ids = new Set(tasks.map((line) => line['task_id']));
    expect([...truth.keys()].filter((id) => !ids.has(id))).toEqual([]);
  });

  it('becomes harder from wave 6 on, by .9 in log-odds, which no prediction knows', () => {
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    const difficulty = (isLate: boolean) =>
      mean(
        [...truth.values()]
          .filter((task) => isLate === waveOf(task) >= 6)
          .map((task) => task.difficulty),
      );
    expect(difficulty(true) - difficulty(false)).toBeCloseTo(0.9, 1);
    const predicted = (isLate: boolean) =>
      mean(
        tasks
          .filter((line) => isLate === Number(line['wave']) >= 6)
          .map((line) => Number(line['predicted_success_probability'])),
      );
    expect(predicted(true)).toBeCloseTo(predicted(false), 1);
  });
});

function waveOf({ taskId }: TaskTruth): number {
  return Number(taskId.slice(1, 3));
}

describe('the truth of a run', () => {
  it('must be whole: a line that is changed is told by file and line', async () => {
    const folder = await folders.make();
    const path = join(folder, 'truth.jsonl');
    await writeFile(path, '{"task_id":"t","difficulty":"hard"}\n');
    await expect(loadTruth(path)).rejects.toMatchObject({
      code: 'EXAMPLES_TRUTH_UNREADABLE',
      message: expect.stringContaining(`${path}:1:`),
    });
    await writeFile(path, '');
    expect((await loadTruth(path)).size).toBe(0);
  });
});
