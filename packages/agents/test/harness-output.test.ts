import { recomputeHealth } from '@buddy/agents';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  jsonFile,
  Plan,
  type Prepared,
  prepare,
  records,
  recordsNamed,
  task,
} from './harness-fixture.ts';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** What the original system called an ExecutionTask, and its execution_time. */
const EXECUTION_TASK = [
  'task_id',
  'agent_id',
  'predicted_success_probability',
  'priority',
  'wave',
  'status',
  'start_time',
  'end_time',
  'actual_success',
  'error_message',
  'execution_time',
];

function filesOfAgent(wave: number, agent: string): string[] {
  const names = ['assignments.jsonl', 'attempts.jsonl', 'metrics.json', 'outcomes.jsonl'];
  return names.map((name) => `phase21/wave_${wave}/${agent}/${name}`);
}

describe('what a run leaves', () => {
  let run: Prepared;
  const lines = [
    ...Array.from({ length: 12 }, (_, at) => task(`a${at}`, { heuristics: ['warm-lead'] })),
    task('flaky', { input: { failures: 1 } }),
    task('bad', { input: { failures: 9, isRetryable: false }, priority: 7 }),
    task('after-bad', { depends_on: ['bad'] }),
    task('nobody', { action: 'no.such.tool' }),
    'half a line\n',
    ...Array.from({ length: 8 }, (_, at) => task(`b${at}`, { wave: 2 })),
  ];

  beforeAll(async () => {
    run = await prepare({
      input: { agents: [{ id: 'ada' }, { id: 'ben', capacity: 2 }], strategy: 'round_robin' },
      lines,
      schedule: ['{"wave":1,"tasks_count":16}\n', '{"wave":2,"tasks_count":9}\n'],
    });
    await run.run();
  });

  it('is the tree that the design names', () => {
    expect([...run.output.files.keys()].toSorted()).toEqual(
      [
        'phase16/heuristic_feedback.jsonl',
        'phase18/agent_performance_feedback.jsonl',
        'phase18/coordination_feedback.jsonl',
        'phase20/prediction_feedback.jsonl',
        'phase21/events.jsonl',
        'phase21/load_problems.jsonl',
        'phase21/reliability.svg',
        'phase21/report.md',
        'phase21/run.json',
        'phase21/system_health.json',
        'phase21/timeline.svg',
        ...[1, 2].flatMap((wave) => [
          ...filesOfAgent(wave, 'ada'),
          ...filesOfAgent(wave, 'ben'),
          `phase21/wave_${wave}/metrics.json`,
          `phase21/wave_${wave}/plan.json`,
        ]),
        // What nobody took has no attempts.
        'phase21/wave_1/unassigned/assignments.jsonl',
        'phase21/wave_1/unassigned/outcomes.jsonl',
      ].toSorted(),
    );
  });

  it('is JSON and JSON Lines with keys in snake_case throughout', () => {
    const keys = new Set<string>();
    const collect = (value: unknown): void => {
      if (Array.isArray(value)) return value.forEach(collect);
      if (typeof value !== 'object' || value === null) return;
      for (const [key, inner] of Object.entries(value)) {
        keys.add(key);
        collect(inner);
      }
    };
    for (const path of run.output.files.keys()) {
      if (path.endsWith('.jsonl')) records(run.output, path).forEach(collect);
      if (path.endsWith('.json')) collect(jsonFile(run.output, path));
    }
    expect(keys.size).toBeGreaterThan(80);
    expect([...keys].filter((key) => !/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(key))).toEqual([]);
  });

  it('holds the ten fields of an ExecutionTask and its execution time, as planned and as it came out', () => {
    for (const name of ['assignments.jsonl', 'outcomes.jsonl']) {
      const found = recordsNamed(run.output, name);
      expect(found).toHaveLength(24);
      for (const record of found) expect(Object.keys(record).slice(0, 11)).toEqual(EXECUTION_TASK);
    }
    expect(recordsNamed(run.output, 'assignments.jsonl')).toContainEqual(
      expect.objectContaining({
        task_id: 'bad',
        status: 'pending',
        priority: 7,
        start_time: null,
        actual_success: null,
        predicted_execution_time: 1,
      }),
    );
    const outcomes = new Map(
      recordsNamed(run.output, 'outcomes.jsonl').map((record) => [record['task_id'], record]),
    );
    expect(outcomes.get('a0')).toMatchObject({
      predicted_success_probability: 0.8,
      status: 'completed',
      start_time: expect.stringMatching(ISO),
      end_time: expect.stringMatching(ISO),
      actual_success: true,
      error_message: null,
      execution_time: 1,
    });
    expect(outcomes.get('flaky')).toMatchObject({
      status: 'completed',
      attempts: 2,
      attempt_time: 1,
      execution_time: 3, // a second for each attempt, and one between them
    });
    expect(outcomes.get('bad')).toMatchObject({
      status: 'failed',
      actual_success: false,
      error_message: 'it did not work',
      error_code: 'TEST_FAILED',
    });
    expect(outcomes.get('after-bad')).toMatchObject({
      agent_id: null,
      status: 'skipped',
      actual_success: null,
      execution_time: null,
      error_message: 'It depends on bad, which is failed',
    });
    expect(outcomes.get('nobody')).toMatchObject({
      status: 'skipped',
      error_message: 'no tool is named no.such.tool',
    });
  });

  it('has one line for every attempt', () => {
    const attempts = recordsNamed(run.output, 'attempts.jsonl');
    expect(attempts).toHaveLength(12 + 2 + 1 + 8);
    expect(attempts.filter((attempt) => attempt['task_id'] === 'flaky')).toMatchObject([
      { attempt: 1, status: 'failed', backoff_ms: 1_000, error_code: 'TEST_FAILED' },
      { attempt: 2, status: 'succeeded', backoff_ms: null, error_code: null },
    ]);
    for (const { start_time: start, end_time: end } of attempts) {
      expect([start, end]).toEqual([expect.stringMatching(ISO), expect.stringMatching(ISO)]);
    }
  });

  it('says in plan.json who was to do what, and how good that is', () => {
    const plan = Plan.parse(jsonFile(run.output, 'phase21/wave_1/plan.json'));
    expect(plan).toMatchObject({ wave: 1, strategy: 'round_robin' });
    const ratio = plan.makespan_ms / plan.lower_bound_ms;
    expect(plan.ratio).toBeCloseTo(ratio, 5);
    expect(plan.load_balance_score).toBeCloseTo(1 / ratio, 5);
    expect(plan.agents.flatMap((agent) => agent.task_ids).toSorted()).toEqual(
      [...Array.from({ length: 12 }, (_, at) => `a${at}`), 'flaky', 'bad', 'after-bad'].toSorted(),
    );
  });

  it('says in run.json what was run, with counts that add up', () => {
    const record = jsonFile(run.output, 'phase21/run.json');
    expect(record).toMatchObject({
      run_id: 'run-1',
      status: 'completed',
      error: null,
      started_at: expect.stringMatching(ISO),
      ended_at: expect.stringMatching(ISO),
      waves: [1, 2],
      unfinished_waves: [],
      tasks: 24,
      counts: { completed: 21, failed: 1, skipped: 2, waiting: 0 },
      load_problems: 2,
    });
  });

  it('lists each problem of the input by file and line', () => {
    expect(records(run.output, 'phase21/load_problems.jsonl')).toMatchObject([
      { kind: 'BAD_LINE', file: 'predicted_tasks.jsonl', line: 17 },
      { kind: 'SCHEDULE_MISMATCH', file: 'predicted_schedule.jsonl', line: 2 },
    ]);
  });

  it('has a health that recomputes from its own record', () => {
    const record = jsonFile(run.output, 'phase21/system_health.json');
    expect(record['score']).not.toBeNull();
    expect(recomputeHealth(record)).toMatchObject({
      score: record['score'],
      status: record['status'],
    });
  });

  it('tells in events.jsonl, in order, what happened', () => {
    const events = records(run.output, 'phase21/events.jsonl');
    const names = events.map(({ event }) => event);
    expect(names[0]).toBe('runStarted');
    expect(names.at(-1)).toBe('runCompleted');
    const waves = events.filter(({ event }) => String(event).startsWith('wave'));
    expect(waves.map(({ event, wave }) => [event, wave])).toEqual([
      ['waveStarted', 1],
      ['waveCompleted', 1],
      ['waveStarted', 2],
      ['waveCompleted', 2],
    ]);
    const flaky = events.filter((event) => event['task_id'] === 'flaky');
    expect(flaky.map(({ event }) => event)).toEqual(['taskStarted', 'taskRetrying', 'taskSettled']);
    expect(events.filter(({ event }) => event === 'taskSettled')).toHaveLength(24);
    const times = events.map(({ at }) => String(at));
    expect(times).toEqual(times.toSorted());
    for (const event of events) {
      expect(event).toMatchObject({ at: expect.stringMatching(ISO), run_id: 'run-1' });
    }
  });

  it('ends in a report with its pictures beside it', () => {
    const report = run.output.files.get('phase21/report.md') ?? '';
    expect(report).toContain('# Run `run-1`: completed');
    for (const name of ['reliability.svg', 'timeline.svg']) {
      expect(report).toContain(`](${name})`);
      expect(run.output.files.get(`phase21/${name}`)).toMatch(/^<svg/);
    }
  });

  it('teaches: every feedback file has lines for both waves', () => {
    for (const path of [...run.output.files.keys()].filter((name) => name.includes('feedback'))) {
      const waves = new Set(records(run.output, path).map(({ wave }) => wave));
      // The rule of thumb was used in the first wave only.
      expect([path, [...waves]]).toEqual([path, path.startsWith('phase16') ? [1] : [1, 2]]);
    }
  });
});

describe('what the host of a harness has to tell', () => {
  it('is asked for when all tasks have ended, and stands in the report', async () => {
    let settled = 0;
    const { harness, output, run } = await prepare({
      lines: [task('a'), task('b')],
      notes: ['Nothing left this process.'],
      sections: () => [
        {
          title: 'Weather',
          parts: [{ kind: 'text', text: `It rained on ${settled} tasks` }],
          nextStep: 'Take an *umbrella*.',
        },
      ],
    });
    harness.events.on('taskSettled', () => (settled += 1));
    await run();
    const report = output.files.get('phase21/report.md') ?? '';
    expect(report).toContain('## Weather\n\nIt rained on 2 tasks\n');
    expect(report).toContain('1. Take an &#42;umbrella&#42;.');
    expect(report).toContain('- Nothing left this process.');
  });

  it('is waited for when it takes a while', async () => {
    const { output, run } = await prepare({
      lines: [task('a')],
      sections: async () => {
        await Promise.resolve();
        return [{ title: 'Weather', parts: [], nextStep: null }];
      },
    });
    await run();
    expect(output.files.get('phase21/report.md')).toContain('## Weather');
  });
});
