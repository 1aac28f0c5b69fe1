import {
  type AnomalySeverity,
  type Attempt,
  createReliabilityCollector,
  createTimelineCollector,
  type Outcome,
  type OutcomeStatus,
  renderReport,
  type ReportData,
  type ReportedTasks,
} from '@buddy/agents';
import { wilsonInterval } from '@buddy/core';
import fc from 'fast-check';
import { lexer, type Tokens, walkTokens } from 'marked';
import { SaxesParser } from 'saxes';
import { describe, expect, it } from 'vitest';
import type { ForecastGroup } from '../src/report/reliability/reliability-collector.ts';
import { TIME_USES } from '../src/report/timeline/timeline-collector.ts';
import { attemptOf, outcomeOf } from './task-fixture.ts';

const START = Date.UTC(2026, 0, 1);

describe('a report', () => {
  it('answers first whether the run worked, how well, and what to do next', () => {
    const { markdown } = renderReport(sampleData());
    const firstScreen = markdown.split('## Pictures', 1)[0];
    expect(firstScreen).toBe(
      `# Run \`run-1\`: completed

| Question | Answer |
| --- | --- |
| Did it work? | 15 of 20 scored tasks succeeded: **75.0 %** (95 % interval 53.1–88.8 %); 4 failed, 1 timed out |
| How healthy is it? | 71 of 100: FAIR |
| Were the predictions right? | They said 90.0 %, 75.0 % came true; Brier score 0.210, 0.190 as recalibrated (0 is best) |
| Was the work shared well? | The waves took 1.25 times the least possible; dealt round-robin, the plan would take 1.50 times as long |
| What was not done? | 2 waiting for a person, 1 denied |
| How much work was it? | 23 tasks in 1 wave by 1 agent, 1 min on a manual clock |

## What to do next

1. Decide: 2 tasks wait for a person ([below](#waiting-for-a-person)).
2. Agent \`agent_0\`, wave 1: Take it out of the rotation.
3. Read what programs tried.
4. Check the policy, or the plan: 1 task denied.
5. Mend the input: 1 problem found in it ([below](#input)).
6. Teach the predictor: it promises too much (90.0 % foretold, 75.0 % came true). Until then the plans use what was learnt.

## Please note

- Tools of tier 3 ran without a gate, for DRY_RUN is set.

`,
    );
  });

  it('has a table for each thing that there is something to tell of', () => {
    const tables = tablesOf(renderReport(sampleData()).markdown);
    expect(tables.map(({ header }) => header[0])).toEqual([
      'Question',
      'wave',
      'wave',
      'agent',
      'action',
      'code',
      'task',
      'severity',
      'action',
      'heuristic',
      'task',
      'problem',
      'file',
      'what',
    ]);
  });

  it('tells what whoever ran it has to tell, in sections of their own', () => {
    const { markdown } = renderReport(sampleData());
    const [, section = ''] = markdown.split('## Code in the sandbox\n\n');
    expect(section.split('\n\n## ', 1)[0]).toBe(`Of 3 programs: 1 failed.

| task | what | line |
| --- | --- | ---: |
| \`task_7\` | fetch() is not there | 3 |`);
    expect(markdown).not.toContain('never shown');
  });

  it('tells of each wave how its tasks ended, and how good predictions and plan were', () => {
    const [, outcomes, quality] = tablesOf(renderReport(sampleData()).markdown);
    expect(outcomes?.rows).toEqual([
      ['1', '23', '15', '4', '1', '1', '0', '0', '2', '75.0 %', '53.1–88.8 %', '71 of 100: FAIR'],
    ]);
    expect(quality?.rows).toEqual([
      ['1', '95.0 %', '0.2275', '0.1900', '1 min', '48 s', '1.250', '50 s', '1 min 15 s', '3'],
    ]);
  });

  it('tells of each agent, action, failure and anomaly', () => {
    const [, , , agents, actions, failures, , anomalies] = tablesOf(
      renderReport(sampleData()).markdown,
    );
    expect(agents?.rows).toEqual([
      ['agent_0', '2', '23', '20', '75.0 %', '53.1–88.8 %', '1.5 s', '4 s', '0.80 ×', '50.0 %'],
    ]);
    expect(actions?.rows).toEqual([
      ['mail.send', '23', '20', '75.0 %', '53.1–88.8 %', '1.5 s', '4 s', '95.0 %'],
    ]);
    expect(failures?.rows).toEqual([['MAIL_BOUNCED', '4', 'task_7', 'No such address']]);
    expect(anomalies?.rows).toEqual([
      [
        'critical',
        'agent_failure',
        '1',
        'agent_0',
        '5.12',
        '4.6',
        '2',
        'task_1, task_2',
        'Take it out of the rotation.',
      ],
    ]);
  });

  it('shows the first 50 of many problems, and says where the rest is', () => {
    const data = sampleData();
    const problems = data.load.problems.flatMap((problem) =>
      Array.from({ length: 120 }, (_, line) => ({ ...problem, line })),
    );
    const { markdown } = renderReport({ ...data, load: { ...data.load, problems } });
    const table = tablesOf(markdown).find(({ header }) => header[0] === 'file');
    expect(table?.rows).toHaveLength(50);
    expect(markdown).toContain('And 70 more; all are in `phase21/problems.jsonl`.');
  });

  it('shows the last 50 of many waves', () => {
    const data = sampleData();
    const waves = data.waves.flatMap((wave) =>
      Array.from({ length: 60 }, (_, n) => ({ ...wave, wave: n + 1 })),
    );
    const { markdown } = renderReport({ ...data, waves });
    expect(tablesOf(markdown)[1]?.rows.map(([number]) => Number(number))).toEqual(
      Array.from({ length: 50 }, (_, n) => n + 11),
    );
    expect(markdown).toContain('The last 50; 10 waves before.');
  });

  it('names the critical anomalies as next steps, and warnings only when none is critical', () => {
    const data = sampleData();
    const withSeverities = (...severities: AnomalySeverity[]) => {
      const anomalies = data.anomalies.flatMap((anomaly) =>
        severities.map((severity) => ({
          ...anomaly,
          severity,
          recommendation: `See to the ${severity} one.`,
        })),
      );
      return renderReport({ ...data, anomalies }).markdown.split('## Pictures', 1)[0];
    };
    expect(withSeverities('warning', 'critical')).toContain('See to the critical one.');
    expect(withSeverities('warning', 'critical')).not.toContain('See to the warning one.');
    expect(withSeverities('warning', 'info')).toContain('See to the warning one.');
    expect(withSeverities('info')).not.toContain('See to the info one.');
    expect(withSeverities(...Array<AnomalySeverity>(5).fill('critical'))).toContain(
      'Look at 2 more anomalies ([below](#anomalies)).',
    );
  });

  it('says what to do about a run that was cancelled or failed', () => {
    const data = sampleData();
    for (const [status, step] of [
      ['cancelled', '1. Run it again for the tasks that are left'],
      ['failed', '1. Mend what made the run fail'],
    ] as const) {
      const { markdown } = renderReport({
        ...data,
        run: { ...data.run, status, reason: 'The disk is full' },
      });
      expect(markdown).toContain(`: ${status}\n\nIt was ${status}: The disk is full\n`);
      expect(markdown).toContain(step);
    }
  });

  it('points at an action only when it surely does worse than the rest', () => {
    const data = sampleData();
    const withAction = (completed: number, failed: number) =>
      renderReport({
        ...data,
        counts: { ...data.counts, completed: 900, failed: 100 },
        actions: [{ ...tasks({ completed, failed }), action: 'crm.write', predictedMean: null }],
      }).markdown;
    expect(withAction(30, 70)).toContain(
      'Find out why `crm.write` succeeds least often: 30.0 % of 100 tasks ([below](#failures)).',
    );
    expect(withAction(1, 1)).not.toContain('Find out why');
  });

  it('is of use for a run in which nothing happened', () => {
    const { markdown, pictures } = renderReport(emptyData());
    expect(markdown).toContain('Nothing: all is as it should be.');
    expect(markdown).toContain('| Did it work? | No task came to an end that counts |');
    expect(markdown).not.toMatch(/NaN|Infinity|undefined|null/u);
    for (const { svg } of pictures) expect(parseXml(svg).text).not.toMatch(/NaN|Infinity/u);
    expect(pictures.map(({ svg }) => parseXml(svg).description)).toEqual([
      'No task has been scored yet.',
      '0 waves in 0 ms. No agents.',
    ]);
  });

  it('is the same text for the same data', () => {
    expect(renderReport(structuredClone(sampleData()))).toEqual(renderReport(sampleData()));
  });

  it('refers to each of its pictures, with words for who cannot see them', () => {
    const { markdown, pictures } = renderReport(sampleData());
    expect(pictures.map(({ path }) => path)).toEqual(['reliability.svg', 'timeline.svg']);
    expect(markdown).toContain(
      '![Reliability of 20 predictions: 90.0 % foretold, 75.0 % came true](reliability.svg)',
    );
    expect(markdown).toContain('![Who was busy when: 1 agent, 1 wave, 1 min](timeline.svg)');
  });
});

describe('text from outside', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc
      .array(
        fc.constantFrom(
          '|',
          '\\',
          '\n',
          '\r\n',
          '`',
          '``',
          '<script>',
          '</td>',
          '&lt;',
          '&#124;',
          '*',
          '_',
          '[a](b)',
          '![a](b)',
          '~~',
          '$x$',
          'http://x.y',
          'www.x.y',
          'a@b.cd',
          '\u2028',
          ' ',
          '- ',
          '# ',
          '1. ',
          '---',
          ']]>',
          '<!--',
          '"',
          "'",
          '\u0000',
          '\ud800',
          '\u202e',
          'a',
        ),
        { maxLength: 12 },
      )
      .map((parts) => parts.join('')),
  );

  it('never breaks a row: each has as many cells as the heading', () =>
    fc.assert(
      fc.property(hostile, (text) => {
        const { markdown } = renderReport(sampleData(text));
        expect(tablesOf(markdown)).toHaveLength(14);
        for (const rows of pipeTablesOf(markdown)) {
          expect(new Set(rows.map((row) => row.split('|').length)).size).toBe(1);
        }
      }),
    ));

  it('never becomes markup: the report is made of the same blocks whatever the text', () => {
    const harmless = blockTypesOf(renderReport(sampleData('a')).markdown);
    fc.assert(
      fc.property(hostile, (text) => {
        expect(blockTypesOf(renderReport(sampleData(text)).markdown)).toEqual(harmless);
      }),
    );
  });

  it('is shown as it is, on one line', () => {
    const text = 'a|b \\| `c` <b>&amp;</b>\n*d* _e_ f_g [h](i) ~~j~~ $k$ http://l @m';
    const failures = tablesOf(renderReport(sampleData(text)).markdown)[5];
    expect(failures?.rows[0]?.[3]).toBe(text.replace('\n', ' '));
  });

  it('is cut when it is long', () => {
    const { markdown } = renderReport(sampleData('x'.repeat(100_000)));
    expect(markdown.length).toBeLessThan(13_000);
  });

  it('leaves the pictures well-formed', () =>
    fc.assert(
      fc.property(hostile, (text) => {
        for (const { svg } of renderReport(sampleData(text)).pictures) {
          expect(() => parseXml(svg)).not.toThrow();
        }
      }),
    ));
});

describe('the reliability diagram', () => {
  it('draws the recalibrated frequency over the forecast', () => {
    const svg = reliabilityOf([
      ...forecasts(0.2, 4, 1), // 25 %
      ...forecasts(0.5, 4, 3), // 75 % and 25 %, the wrong way round: both 50 %
      ...forecasts(0.7, 4, 1),
      ...forecasts(0.9, 4, 4), // 100 %
    ]);
    expect(curveOf(svg)).toEqual([
      [0.2, 0.2, 0.25],
      [0.5, 0.7, 0.5],
      [0.9, 0.9, 1],
    ]);
  });

  it('counts the forecasts below, and gives their mean and Brier score', () => {
    const svg = reliabilityOf([...forecasts(0.2, 30, 6), ...forecasts(0.8, 10, 8)]);
    const bars = (elementsOf(svg, 'path').at(-1)?.['d'] ?? '')
      .match(/(?<=v-)[\d.]+/gu)
      ?.map(Number);
    expect((bars?.[0] ?? 0) / (bars?.[1] ?? 1)).toBeCloseTo(3, 1);
    expect(parseXml(svg).text).toContain('as predicted: mean 35.0 %, Brier 0.160');
    expect(parseXml(svg).text).toContain('40 scored tasks');
    expect(parseXml(svg).description).toBe(
      '40 forecasts as predicted: 35.0 % on average, 35.0 % came true.',
    );
  });

  it('draws a second curve once forecasts were recalibrated', () => {
    const plain = forecasts(0.9, 10, 5);
    const recalibrated = plain.map((each) => ({ ...each, calibratedProbability: 0.5 }));
    expect(parseXml(reliabilityOf(plain)).text).not.toContain('recalibrated');
    expect(parseXml(reliabilityOf(recalibrated)).text).toContain(
      'recalibrated: mean 50.0 %, Brier 0.250',
    );
  });

  it('leaves out what is censored', () => {
    const collector = createReliabilityCollector();
    for (const status of ['denied', 'cancelled', 'skipped', 'waiting'] as const) {
      collector.observe(outcome(0.5, status));
    }
    expect(collector.reliability().predicted.count).toBe(0);
    for (const status of ['completed', 'failed', 'timed_out'] as const) {
      collector.observe(outcome(0.5, status));
    }
    expect(collector.reliability().predicted).toMatchObject({ count: 3, successes: 1 });
  });

  it('has the curve that the min-max formula of isotonic regression gives', () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.nat(9)), {
          minLength: 1,
          maxLength: 12,
        }),
        (pairs) => {
          const groups: ForecastGroup[] = pairs.map(([count, successes], index) => ({
            forecast: index / 20,
            count,
            successes: Math.min(count, successes),
          }));
          const curve = curveOf(
            reliabilityOf(groups.flatMap((g) => forecasts(g.forecast, g.count, g.successes))),
          );
          groups.forEach(({ forecast }, i) => {
            const step = curve.find(([from, to]) => from <= forecast && forecast <= to);
            const lowest = (a: number) =>
              Math.min(...groups.slice(i).map((_, n) => rateOf(groups.slice(a, i + n + 1))));
            const minMax = Math.max(...groups.slice(0, i + 1).map((_, a) => lowest(a)));
            expect(step?.[2]).toBeCloseTo(minMax, 2);
          });
        },
      ),
    ));

  it('has exact means and Brier scores, however many forecasts share a cell', () => {
    const values = [0, 0.12345, 0.1239, 0.5, 0.9999, 1];
    const collector = createReliabilityCollector();
    for (const value of values) collector.observe(outcome(value, 'completed'));
    const { meanForecast, brier, groups } = collector.reliability().predicted;
    expect(meanForecast).toBeCloseTo(values.reduce((a, b) => a + b) / 6, 12);
    expect(brier).toBeCloseTo(values.reduce((a, b) => a + (1 - b) ** 2, 0) / 6, 12);
    expect(groups.map(({ count }) => count)).toEqual([1, 2, 1, 2]);
  });
});

describe('the timeline', () => {
  it('loses no time, however often its buckets are made wider', () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ max: 1e7, min: 0 }), fc.integer({ min: 0, max: 1e6 })), {
          maxLength: 30,
        }),
        (spans) => {
          const collector = createTimelineCollector({ startedAt: START, agents: [] });
          for (const [from, ms] of spans) collector.observe(attempt('a', from, from + ms));
          const { agents, bucketMs, startedAt, endedAt } = collector.timeline();
          const busyMs = agents.flatMap((agent) => agent.busyMs.succeeded);
          expect(busyMs.length).toBeLessThanOrEqual(240);
          expect(busyMs.length * bucketMs).toBeGreaterThanOrEqual(
            agents.length * (endedAt - startedAt),
          );
          expect(busyMs.reduce((a, b) => a + b, 0)).toBeCloseTo(
            spans.reduce((a, [, ms]) => a + ms, 0),
            3,
          );
        },
      ),
    ));

  it("tells apart what an agent's time went into", () => {
    const collector = createTimelineCollector({ startedAt: START, agents: [] });
    collector.observe(attempt('a', 0, 10, { status: 'succeeded' }));
    collector.observe(attempt('a', 10, 30, { status: 'failed', backoffMs: 100 }));
    collector.observe(attempt('a', 30, 70, { status: 'timed_out' }));
    collector.observe(attempt('a', 70, 150, { status: 'denied' }));
    const [agent] = collector.timeline().agents;
    const total = (use: (typeof TIME_USES)[number]) =>
      agent?.busyMs[use].reduce((a, b) => a + b, 0);
    expect(TIME_USES.map(total)).toEqual([10, 20, 40, 80]);
  });

  it('draws the busy share of the capacity as height, over the time', () => {
    const svg = timelineOf([attempt('agent_0', 0, 50)], {
      agents: [{ agentId: 'agent_0', capacity: 2 }],
      waves: [100],
    });
    const [bar, ...others] = elementsOf(svg, 'path').map(({ d }) => boxOf(d));
    const row = elementsOf(svg, 'rect').find(({ fill }) => fill === '#f3f5f8');
    expect(others).toEqual([]);
    expect(bar?.left).toBe(Number(row?.['x']));
    expect((bar?.width ?? 0) / Number(row?.['width'])).toBeCloseTo(0.5, 3);
    expect((bar?.height ?? 0) / Number(row?.['height'])).toBeCloseTo(0.5, 2);
    expect(parseXml(svg).text).toContain('agent_0: busy 25 % of its capacity');
    expect(parseXml(svg).description).toBe('1 wave in 100 ms. Busy: agent_0 25 %.');
  });

  it.each([
    [1, ['1']],
    [10, ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']],
    [100, ['5', '10', '15', '20']],
    [5000, ['200', '400', '600']],
  ])('labels as many of %i waves as there is room for', (count, expected) => {
    const svg = timelineOf([], {
      agents: [{ agentId: 'a', capacity: 1 }],
      waves: Array.from({ length: count }, () => 1000),
    });
    const labels = textsOf(svg);
    expect(
      labels.slice(labels.indexOf('wave') + 1, labels.indexOf('wave') + 1 + expected.length),
    ).toEqual(expected);
    expect(svg.length).toBeLessThan(100_000);
  });

  it('draws 60 agents at most, and says how many more there are', () => {
    const agents = Array.from({ length: 70 }, (_, n) => ({ agentId: `agent_${n}`, capacity: 1 }));
    const svg = timelineOf([attempt('agent_0', 0, 10)], { agents, waves: [10] });
    expect(textsOf(svg)).toContain('agent_59');
    expect(textsOf(svg)).not.toContain('agent_60');
    expect(textsOf(svg)).toContain('and 10 more agents');
  });

  it.each([
    [90, '0 20 ms 40 ms 60 ms 80 ms'],
    [60_000, '0 10 s 20 s 30 s 40 s 50 s 1 min'],
    [5_400_000, '0 15 min 30 min 45 min 1 h 1 h 15 min 1 h 30 min'],
    [86_400_000 * 3, '0 12 h 1 d 1 d 12 h 2 d 2 d 12 h 3 d'],
    [86_400_000 * 300, '0 50 d 100 d 150 d 200 d 250 d 300 d'],
  ])('divides %i ms at round times', (ms, expected) => {
    const labels = textsOf(timelineOf([attempt('a', 0, ms)], { agents: [], waves: [] }));
    expect(labels.slice(labels.indexOf('0'), labels.indexOf('succeeded')).join(' ')).toBe(expected);
  });
});

// The data

function sampleData(text?: string): ReportData {
  const say = (usual: string) => text ?? usual;
  const sample = tasks({ completed: 15, failed: 4, timed_out: 1, denied: 1, waiting: 2 });
  const reliability = createReliabilityCollector();
  for (const observed of forecasts(0.9, 20, 15)) {
    reliability.observe({ ...observed, calibratedProbability: 0.8 });
  }
  const timeline = createTimelineCollector({
    startedAt: START,
    agents: [{ agentId: say('agent_0'), capacity: 2 }],
  });
  timeline.observe(attempt(say('agent_0'), 0, 60_000));
  timeline.closeWave({ wave: 1, startedAt: START, endedAt: START + 60_000 });
  const health = { score: 71.4, status: 'FAIR' };
  return {
    run: {
      id: say('run-1'),
      seed: text ?? 23,
      clock: 'manual',
      startedAt: START,
      endedAt: START + 60_000,
      status: 'completed',
      reason: text ?? null,
      strategy: 'load_balanced',
    },
    load: {
      sources: [say('data/predicted_tasks.jsonl')],
      taskCount: 23,
      problems: [
        {
          kind: 'BAD_LINE',
          file: say('data/predicted_tasks.jsonl'),
          line: 7,
          taskId: say('task_7'),
          path: say('wave'),
          message: say('expected a number'),
        },
      ],
      problemsFile: say('phase21/problems.jsonl'),
    },
    counts: sample.counts,
    health,
    waves: [
      {
        ...sample,
        wave: 1,
        predictedMean: 0.95,
        brierRaw: 0.2275,
        brierCalibrated: 0.19,
        makespanMs: 60_000,
        lowerBoundMs: 48_000,
        makespanRatio: 1.25,
        plannedMakespanMs: 50_000,
        baselineRoundRobinMs: 75_000,
        steals: 3,
        health,
      },
    ],
    agents: [{ ...sample, agentId: say('agent_0'), capacity: 2, speed: 0.8, utilisation: 0.5 }],
    actions: [{ ...sample, action: say('mail.send'), predictedMean: 0.95 }],
    failures: [
      {
        code: say('MAIL_BOUNCED'),
        tasks: 4,
        exampleTaskId: say('task_7'),
        exampleMessage: say('No such address'),
      },
    ],
    anomalies: [
      {
        kind: 'agent_failure',
        severity: 'critical',
        wave: 1,
        scope: { kind: 'agent', agentId: say('agent_0') },
        statistic: 5.1234,
        threshold: 4.6,
        count: 2,
        evidence: [say('task_1'), say('task_2')],
        recommendation: say('Take it out of the rotation.'),
        at: START,
      },
    ],
    feedback: {
      calibrators: [
        {
          action: say('mail.send'),
          observations: 20,
          isActive: true,
          brierBefore: 0.2275,
          brierAfter: 0.19,
        },
      ],
      heuristics: [
        {
          heuristic: say('domain_warm'),
          observations: 12,
          predictedMean: 0.9,
          successRate: 0.6,
          recommendation: say('Trust it less.'),
        },
      ],
    },
    waiting: [
      {
        taskId: say('task_9'),
        wave: 1,
        action: say('mail.send'),
        reason: say('More than 100 receivers'),
        approvalId: say('approval-1'),
      },
    ],
    notes: [say('Tools of tier 3 ran without a gate, for DRY_RUN is set.')],
    sections: [
      {
        title: say('Code in the sandbox'),
        parts: [
          { kind: 'text', text: `Of 3 programs: ${say('1 failed.')}` },
          {
            kind: 'table',
            columns: [{ name: say('task') }, say('what'), { number: say('line') }],
            rows: [[say('task_7'), say('fetch() is not there'), say('3')]],
            file: null,
          },
          { kind: 'table', columns: [say('never shown')], rows: [], file: null },
        ],
        nextStep: say('Read what programs tried.'),
      },
    ],
    reliability: reliability.reliability(),
    timeline: timeline.timeline(),
  };
}

function emptyData(): ReportData {
  const { run, load } = sampleData();
  return {
    run: { ...run, seed: null, endedAt: START },
    load: { ...load, sources: [], taskCount: 0, problems: [] },
    counts: tasks({}).counts,
    health: { score: null, status: 'UNKNOWN' },
    waves: [],
    agents: [],
    actions: [],
    failures: [],
    anomalies: [],
    feedback: { calibrators: [], heuristics: [] },
    waiting: [],
    notes: [],
    sections: [],
    reliability: createReliabilityCollector().reliability(),
    timeline: createTimelineCollector({ startedAt: START, agents: [] }).timeline(),
  };
}

function tasks(some: Partial<Record<OutcomeStatus, number>>): ReportedTasks {
  const counts = {
    completed: 0,
    failed: 0,
    timed_out: 0,
    denied: 0,
    cancelled: 0,
    skipped: 0,
    waiting: 0,
    ...some,
  };
  const scored = counts.completed + counts.failed + counts.timed_out;
  return {
    counts,
    successRate: scored === 0 ? null : counts.completed / scored,
    successInterval: wilsonInterval(counts.completed, scored),
    durationMs: { p50: 1500, p95: 4000 },
  };
}

function outcome(forecast: number, status: OutcomeStatus): Outcome {
  return outcomeOf('task', {
    action: 'mail.send',
    status,
    successProbability: forecast,
    calibratedProbability: forecast,
  });
}

function forecasts(forecast: number, count: number, successes: number): Outcome[] {
  return Array.from({ length: count }, (_, n) =>
    outcome(forecast, n < successes ? 'completed' : 'failed'),
  );
}

function attempt(agentId: string, from: number, to: number, some: Partial<Attempt> = {}): Attempt {
  const times = { startedAt: START + from, endedAt: START + to };
  return attemptOf('task', { agentId, action: 'mail.send', ...times, ...some });
}

function reliabilityOf(outcomes: readonly Outcome[]): string {
  const collector = createReliabilityCollector();
  for (const each of outcomes) collector.observe(each);
  return pictureOf({ reliability: collector.reliability() }, 'reliability.svg');
}

/** Of attempts, and of waves that last so many milliseconds. */
function timelineOf(
  attempts: readonly Attempt[],
  { agents, waves }: { agents: { agentId: string; capacity: number }[]; waves: number[] },
): string {
  const collector = createTimelineCollector({ startedAt: START, agents });
  for (const each of attempts) collector.observe(each);
  let startedAt = START;
  waves.forEach((ms, index) => {
    collector.closeWave({ wave: index + 1, startedAt, endedAt: startedAt + ms });
    startedAt += ms;
  });
  return pictureOf({ timeline: collector.timeline() }, 'timeline.svg');
}

function pictureOf(data: Partial<ReportData>, path: string): string {
  const { pictures } = renderReport({ ...emptyData(), ...data });
  return pictures.find((picture) => picture.path === path)?.svg ?? '';
}

function rateOf(groups: readonly ForecastGroup[]): number {
  const sum = (key: 'count' | 'successes') => groups.reduce((a, group) => a + group[key], 0);
  return sum('successes') / sum('count');
}

// Reading Markdown, as a parser of GitHub's dialect does

interface Table {
  header: string[];
  rows: string[][];
}

function tablesOf(markdown: string): Table[] {
  return lexer(markdown)
    .filter((token): token is Tokens.Table => token.type === 'table')
    .map(({ header, rows }) => ({
      header: header.map(({ text }) => shown(text)),
      rows: rows.map((cells) => cells.map(({ text }) => shown(text))),
    }));
}

/** The kinds of all blocks and spans; a name is code or text, depending on what is in it, so that is left out. */
function blockTypesOf(markdown: string): string[] {
  const types: string[] = [];
  void walkTokens(lexer(markdown), ({ type }) => {
    types.push(type);
  });
  return types.filter((type) => !['text', 'codespan', 'escape'].includes(type));
}

/** A cell as a reader sees it. */
function shown(text: string): string {
  return text
    .replaceAll(/^`(.*)`$/gu, '$1')
    .replaceAll('`, `', ', ')
    .replaceAll(/&#(\d+);/gu, (_, code: string) => String.fromCodePoint(Number(code)));
}

/** Tables as blocks of lines that begin with a pipe. */
function pipeTablesOf(markdown: string): string[][] {
  return markdown
    .split('\n\n')
    .filter((block) => block.startsWith('|'))
    .map((block) => block.trimEnd().split('\n'));
}

// Reading XML

interface Parsed {
  text: string;
  description: string;
  elements: { name: string; attributes: Record<string, string>; text: string }[];
}

/** @throws When it is not well-formed. */
function parseXml(xml: string): Parsed {
  const elements: Parsed['elements'] = [];
  const open: Parsed['elements'] = [];
  const parser = new SaxesParser();
  parser.on('opentag', ({ name, attributes }) => {
    const element = { name, attributes: { ...attributes }, text: '' };
    elements.push(element);
    open.push(element);
  });
  parser.on('text', (text) => {
    const innermost = open.at(-1);
    if (innermost) innermost.text += text;
  });
  parser.on('closetag', () => open.pop());
  parser.on('error', (error) => {
    throw error;
  });
  parser.write(xml).close();
  return {
    elements,
    text: elements.map(({ text }) => text).join('\n'),
    description: elements.find(({ name }) => name === 'desc')?.text ?? '',
  };
}

function elementsOf(svg: string, name: string): Record<string, string>[] {
  return parseXml(svg)
    .elements.filter((element) => element.name === name)
    .map(({ attributes }) => attributes);
}

function textsOf(svg: string): string[] {
  return parseXml(svg)
    .elements.filter(({ name }) => name === 'text')
    .map(({ text }) => text);
}

/** From places in a picture to probabilities, by the labels of its axes. */
function axesOf(svg: string) {
  const labels = parseXml(svg).elements.filter(({ name }) => name === 'text');
  const along = (axis: 'x' | 'y', anchor: string, offset: number) => {
    const place = (label: string) =>
      offset +
      Number(
        labels.find(
          ({ text, attributes }) => text === label && attributes['text-anchor'] === anchor,
        )?.attributes[axis],
      );
    const [zero, one] = [place('0 %'), place('100 %')];
    return (coordinate: string | undefined) =>
      Math.round((1000 * (Number(coordinate) - zero)) / (one - zero)) / 1000;
  };
  const baselineToMiddle = -4;
  return { x: along('x', 'middle', 0), y: along('y', 'end', baselineToMiddle) };
}

/** The steps of the first curve: lowest and highest forecast, frequency; to a thousandth. */
function curveOf(svg: string): [from: number, to: number, frequency: number][] {
  const { x, y } = axesOf(svg);
  const steps = /[ML](?<from>[\d.]+) (?<level>[\d.]+)(?:H(?<to>[\d.]+))?/gu;
  return [...(elementsOf(svg, 'path')[0]?.['d'] ?? '').matchAll(steps)].map(({ groups }) => [
    x(groups?.['from']),
    x(groups?.['to'] ?? groups?.['from']),
    y(groups?.['level']),
  ]);
}

/** The box around a path of absolute M, V and H. */
function boxOf(d: string | undefined) {
  const xs = [...(d ?? '').matchAll(/[MH]([\d.]+)/gu)].map(([, x]) => Number(x));
  const ys = [...(d ?? '').matchAll(/(?:V| )([\d.]+)/gu)].map(([, y]) => Number(y));
  return {
    left: Math.min(...xs),
    width: Math.max(...xs) - Math.min(...xs),
    height: Math.max(...ys) - Math.min(...ys),
  };
}
