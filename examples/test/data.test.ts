import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAgentManager } from '@buddy/agents';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_INPUT } from '../orchestrator/arguments.ts';
import { loadTruth, type TaskTruth } from '../world/truth.ts';
import { filesBelow, runExample, temporaryFolders } from './command.ts';

const folders = temporaryFolders();
afterAll(folders.remove);

type Line = Record<string, unknown>;

const CHAIN = 'mployer.contacts.search,gohighlevel.contacts.create,msgraph.mail.send';
const TRUTH = join(DEFAULT_INPUT, '..', 'truth.jsonl');

describe('the shipped data', () => {
  let tasks: Line[] = [];
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
      expect([path, shipped === text]).toEqual([path, true]); // without a diff of megabytes
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

  it('holds some dozens of programs, of which four cannot work', () => {
    const programs = new Map(
      tasks.flatMap((line) =>
        typeof line['code'] === 'string' ? [[line['task_id'], line['code']] as const] : [],
      ),
    );
    expect(programs.size).toBeGreaterThan(40);
    expect(programs.size).toBeLessThan(100);
    const bad = [...programs].filter(([id]) => truth.get(String(id))?.isBadInput);
    for (const words of ['fetch(', 'leads.push', 'new Uint8Array', 'fuond']) {
      expect([words, bad.filter(([, code]) => code.includes(words)).length]).toEqual([words, 1]);
    }
    expect(bad).toHaveLength(4);
    const calling = [...programs.values()].filter((code) => /\btools\.\w/.test(code));
    expect(calling).toHaveLength(programs.size - 2); // the loop and the bomb need no tool
    expect(calling.filter((code) => code.includes('import ')).length).toBeGreaterThan(10);
  });

  it('has about 5 % of its tasks in chains: search, then contact, then mail', () => {
    const byId = new Map(tasks.map((line) => [line['task_id'], line]));
    const neededBy = (line: Line | undefined) => {
      const ids: unknown = line?.['depends_on'];
      return Array.isArray(ids) ? byId.get(ids[0]) : undefined;
    };
    const chains = new Set<unknown>();
    for (const line of tasks) {
      const contact = neededBy(line);
      const search = neededBy(contact);
      const actions = [search, contact, line].map((each) => each?.['action']);
      if (String(actions) === CHAIN) chains.add(line['task_id']);
    }
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
    const difficulties = [...truth.values()].map((task) => ({
      isLate: Number(task.taskId.slice(1, 3)) >= 6,
      value: task.difficulty,
    }));
    expect(rise(difficulties)).toBeCloseTo(0.9, 1);
    const predictions = tasks.map((line) => ({
      isLate: Number(line['wave']) >= 6,
      value: Number(line['predicted_success_probability']),
    }));
    expect(rise(predictions)).toBeCloseTo(0, 1);
  });
});

/** How much higher the later values are, on average. */
function rise(values: readonly { isLate: boolean; value: number }[]): number {
  const late = values.filter(({ isLate }) => isLate).map(({ value }) => value);
  const early = values.filter(({ isLate }) => !isLate).map(({ value }) => value);
  return mean(late) - mean(early);
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
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
