import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAgentManager, type LoadProblem, PredictionRecord } from '@buddy/agents';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const good = { predicted_success_probability: 0.5, action: 'crm.find' };

function lines(...records: object[]): string[] {
  return records.map((record) => `${JSON.stringify(record)}\n`);
}

async function problemsOf(...records: object[]): Promise<readonly LoadProblem[]> {
  const { problems } = await createAgentManager().load({ tasks: lines(...records) });
  return problems;
}

describe('a prediction', () => {
  it('has defaults for all but its id and its probability', () => {
    expect(PredictionRecord.parse({ task_id: 't', predicted_success_probability: 0.7 })).toEqual({
      taskId: 't',
      wave: 1,
      agentId: null,
      successProbability: 0.7,
      priority: 0,
      action: undefined,
      input: undefined,
      durationMs: undefined,
      confidence: 0.5,
      riskAssessment: undefined,
      dependsOn: [],
      heuristics: [],
    });
  });

  it('keeps every field, seconds as milliseconds', () => {
    const line = {
      task_id: 't',
      wave: 3,
      agent_id: 'ada',
      predicted_success_probability: 0.7,
      priority: -2,
      action: 'crm.find',
      input: { email: 'a@example.com' },
      predicted_execution_time: 1.5,
      confidence: 0.9,
      risk_assessment: 'HIGH',
      depends_on: ['s'],
      heuristics: ['h1'],
      reasoning: 'passed over',
      timestamp: '2026-01-01T00:00:00Z',
    };
    expect(PredictionRecord.parse(line)).toEqual({
      taskId: 't',
      wave: 3,
      agentId: 'ada',
      successProbability: 0.7,
      priority: -2,
      action: 'crm.find',
      input: { email: 'a@example.com' },
      durationMs: 1500,
      confidence: 0.9,
      riskAssessment: 'HIGH',
      dependsOn: ['s'],
      heuristics: ['h1'],
    });
  });

  it('with code is a program for the sandbox', () => {
    const line = { task_id: 't', predicted_success_probability: 1, code: 'return 1' };
    const { action, input } = PredictionRecord.parse(line);
    expect({ action, input }).toEqual({ action: 'sandbox.run', input: { code: 'return 1' } });
  });

  it.each([
    ['task_id', ''],
    ['wave', 0],
    ['wave', 1.5],
    ['predicted_success_probability', 1.01],
    ['predicted_success_probability', -0.01],
    ['predicted_success_probability', '0.5'],
    ['priority', 0.5],
    ['action', ''],
    ['predicted_execution_time', 0],
    ['confidence', 2],
    ['risk_assessment', 'SOME'],
    ['depends_on', 'a'],
  ])('is refused with %s = %j, and the field is named', async (field, value) => {
    const [problem, ...others] = await problemsOf({ task_id: 't', ...good, [field]: value });
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ kind: 'BAD_LINE', line: 1, path: field });
  });
});

describe('loading', () => {
  it('reads files of the original system unchanged', async () => {
    const manager = createAgentManager({ defaultAction: 'demo.do' });
    const summary = await manager.load({
      tasks: [
        '{"task_id":"task_3","agent_id":null,"predicted_success_probability":0.83,"priority":0,"wave":1}\n',
      ],
      schedule: ['{"wave":1,"tasks_count":1}\n'],
    });
    expect(summary).toEqual({ taskCount: 1, waves: [1], problems: [] });
    expect(manager.planWave(1).tasks).toMatchObject([
      {
        taskId: 'task_3',
        action: 'demo.do',
        input: { taskId: 'task_3', successProbability: 0.83 },
      },
    ]);
  });

  it('reads a folder, with or without a schedule', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'buddy-predictions-'));
    try {
      const tasks = join(folder, 'predicted_tasks.jsonl');
      await writeFile(tasks, lines({ task_id: 'a', ...good }, { task_id: 'b', wave: 0 }).join(''));
      const manager = createAgentManager();
      const without = await manager.load(folder);
      expect(without.problems).toMatchObject([{ kind: 'BAD_LINE', file: tasks, line: 2 }]);
      const schedule = join(folder, 'predicted_schedule.jsonl');
      await writeFile(schedule, lines({ wave: 1, tasks_count: 2 }).join(''));
      const { problems } = await manager.load(folder);
      expect(problems[1]).toMatchObject({ kind: 'SCHEDULE_MISMATCH', file: schedule, line: 1 });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('says which file it misses in a folder', async () => {
    await expect(createAgentManager().load('/nowhere/at-all')).rejects.toMatchObject({
      code: 'AGENTS_PREDICTIONS_UNREADABLE',
      message: expect.stringContaining('/nowhere/at-all/predicted_tasks.jsonl'),
    });
  });

  it('reads asynchronous streams, cut anywhere', async () => {
    const text = lines({ task_id: 'a', ...good }, { task_id: 'b', ...good }).join('');
    async function* chunks() {
      for (let at = 0; at < text.length; at += 7) yield Buffer.from(text.slice(at, at + 7));
    }
    expect(await createAgentManager().load({ tasks: chunks() })).toMatchObject({
      taskCount: 2,
      problems: [],
    });
  });

  it('passes over bad lines one by one, and goes on', async () => {
    const summary = await createAgentManager().load({
      tasks: [
        ...lines({ task_id: 'a', ...good }),
        'no json\n',
        ...lines({ task_id: 'b' }, { task_id: 'c', ...good }),
        '{"task_id":"torn"',
      ],
    });
    expect(summary.taskCount).toBe(2);
    expect(summary.problems).toMatchObject([
      { kind: 'BAD_LINE', file: 'predicted_tasks.jsonl', line: 2, path: null },
      { kind: 'BAD_LINE', line: 3, path: 'predicted_success_probability' },
      { kind: 'BAD_LINE', line: 5 },
    ]);
  });

  it('refuses a line with both an action and code', async () => {
    const [problem] = await problemsOf({ task_id: 't', ...good, code: 'return 1' });
    expect(problem).toMatchObject({
      kind: 'BAD_LINE',
      path: 'code',
      message: expect.stringContaining('not both'),
    });
  });

  it('refuses a line with neither when there is no default action', async () => {
    const [problem] = await problemsOf({ task_id: 't', predicted_success_probability: 0.5 });
    expect(problem).toMatchObject({ kind: 'BAD_LINE', taskId: 't', path: 'action' });
  });

  it('keeps the first of two lines with one id', async () => {
    const manager = createAgentManager();
    const { problems, taskCount } = await manager.load({
      tasks: lines({ task_id: 'a', ...good }, { task_id: 'a', ...good, wave: 2 }),
    });
    expect(taskCount).toBe(1);
    expect(manager.planWave(1).tasks).toHaveLength(1);
    expect(problems).toMatchObject([
      { kind: 'DUPLICATE_ID', line: 2, taskId: 'a', path: 'task_id' },
    ]);
  });

  it('replaces what was loaded before', async () => {
    const manager = createAgentManager();
    await manager.load({ tasks: lines({ task_id: 'a', ...good }) });
    await manager.load({ tasks: lines({ task_id: 'b', wave: 2, ...good }) });
    expect(manager.loaded).toEqual({ taskCount: 1, waves: [2], problems: [] });
    expect(() => manager.planWave(1)).toThrow('loaded waves: 2');
  });
});

describe('dependencies', () => {
  it('on unknown tasks and on later waves are reported, each where it stands', async () => {
    const problems = await problemsOf(
      { task_id: 'a', ...good, depends_on: ['b', 'x', 'y'] },
      { task_id: 'b', wave: 2, ...good, depends_on: ['a'] },
      { task_id: 'c', wave: 2, ...good },
    );
    expect(problems.slice(0, 3)).toMatchObject([
      { kind: 'LATER_DEPENDENCY', line: 1, taskId: 'a', path: 'depends_on[0]' },
      { kind: 'UNKNOWN_DEPENDENCY', line: 1, taskId: 'a', path: 'depends_on[1]' },
      { kind: 'UNKNOWN_DEPENDENCY', line: 1, taskId: 'a', path: 'depends_on[2]' },
    ]);
  });

  it('of a task on itself are a cycle', async () => {
    const [problem] = await problemsOf({ task_id: 'a', ...good, depends_on: ['a'] });
    expect(problem).toMatchObject({
      kind: 'DEPENDENCY_CYCLE',
      path: 'depends_on',
      message: 'Tasks wait for each other: a -> a',
    });
  });

  it('in cycles are reported for every task of every cycle, once', async () => {
    const problems = await problemsOf(
      { task_id: 'a', ...good, depends_on: ['b', 'c'] },
      { task_id: 'b', ...good, depends_on: ['a'] },
      { task_id: 'c', ...good, depends_on: ['b'] }, // a -> c -> b -> a is found only beside a -> b -> a
      { task_id: 'd', ...good, depends_on: ['a'] }, // waits for a cycle, is in none
      { task_id: 'e', ...good, depends_on: ['f'] },
      { task_id: 'f', ...good, depends_on: ['e'] },
    );
    expect(problems.map(({ kind, line, taskId }) => [kind, line, taskId])).toEqual([
      ['DEPENDENCY_CYCLE', 1, 'a'],
      ['DEPENDENCY_CYCLE', 2, 'b'],
      ['DEPENDENCY_CYCLE', 3, 'c'],
      ['DEPENDENCY_CYCLE', 5, 'e'],
      ['DEPENDENCY_CYCLE', 6, 'f'],
    ]);
    expect(problems[0]?.message).toBe('Tasks wait for each other: a -> b -> a (3 tasks in all)');
    expect(problems[3]?.message).toBe('Tasks wait for each other: e -> f -> e');
  });

  it('may form a cycle of 10 000 tasks; the message stays short', async () => {
    const records = Array.from({ length: 10_000 }, (_, at) => ({
      task_id: `t${at}`,
      ...good,
      depends_on: [`t${(at + 1) % 10_000}`],
    }));
    const problems = await problemsOf(...records);
    expect(problems).toHaveLength(10_000);
    expect(problems[0]?.message).toBe(
      'Tasks wait for each other: t0 -> t1 -> t2 -> t3 -> t4 -> … -> t0 (10000 tasks in all)',
    );
  });

  it('may form a knot in which everything waits for everything; each task is told of once', async () => {
    const ids = Array.from({ length: 200 }, (_, at) => `t${at}`);
    const problems = await problemsOf(
      ...ids.map((task_id) => ({ task_id, ...good, depends_on: ids })),
    );
    expect(problems).toHaveLength(200);
  });

  it('may form a chain of 10 000 tasks without a problem', async () => {
    const records = Array.from({ length: 10_000 }, (_, at) => ({
      task_id: `t${at}`,
      ...good,
      depends_on: at === 0 ? [] : [`t${at - 1}`],
    }));
    const manager = createAgentManager();
    expect((await manager.load({ tasks: lines(...records) })).problems).toEqual([]);
    expect(manager.planWave(1).plan.lowerBoundMs).toBe(10_000 * 1_000);
  });

  it('are cyclic for exactly the tasks that reach themselves', () =>
    fc.assert(
      fc.asyncProperty(
        fc
          .integer({ min: 1, max: 8 })
          .chain((n) =>
            fc.array(fc.array(fc.nat(n - 1), { maxLength: 3 }), { minLength: n, maxLength: n }),
          ),
        async (edges) => {
          const problems = await problemsOf(
            ...edges.map((needs, at) => ({
              task_id: `t${at}`,
              ...good,
              depends_on: needs.map((id) => `t${id}`),
            })),
          );
          const cyclic = edges.flatMap((_, at) => (reaches(edges, at, at) ? [`t${at}`] : []));
          expect(problems).toHaveLength(cyclic.length);
          expect(new Set(problems.map(({ taskId }) => taskId))).toEqual(new Set(cyclic));
        },
      ),
    ));
});

/** Independent of the code under test: plain reachability. */
function reaches(edges: readonly (readonly number[])[], from: number, to: number): boolean {
  const seen = new Set(edges[from]);
  for (const at of seen) for (const next of edges[at] ?? []) seen.add(next);
  return seen.has(to);
}

describe('the schedule', () => {
  it('is compared with the tasks, and differences are warnings', async () => {
    const { taskCount, problems } = await createAgentManager().load({
      tasks: lines(
        { task_id: 'a', ...good },
        { task_id: 'b', wave: 2, ...good },
        { task_id: 'c', wave: 3, ...good },
      ),
      schedule: [
        ...lines({ wave: 1, tasks_count: 12 }, { wave: 2, tasks_count: 1 }),
        '{"wave":0}\n',
        ...lines({ wave: 4, tasks_count: 1 }),
      ],
    });
    expect(taskCount).toBe(3);
    expect(problems).toMatchObject([
      { kind: 'SCHEDULE_MISMATCH', line: 1, message: 'Wave 1 should have 12 tasks and has 1' },
      { kind: 'BAD_SCHEDULE_LINE', line: 3 },
      { kind: 'SCHEDULE_MISMATCH', line: 4, message: 'Wave 4 should have 1 tasks and has 0' },
      { kind: 'SCHEDULE_MISMATCH', line: 0, message: 'Wave 3 has 1 tasks and is not scheduled' },
    ]);
  });
});
