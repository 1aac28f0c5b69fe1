import type { Anomaly } from '../monitor/anomaly.ts';
import type { LoadProblem } from '../prediction/load-problem.ts';
import { blocks, type Column, name, plain, table } from './markdown.ts';
import {
  count,
  counted,
  decimal,
  duration,
  moment,
  percent,
  percentRange,
  significant,
} from './numbers.ts';
import type { ReportData, ReportedTasks } from './report-data.ts';
import { healthText, scored, total } from './summary.ts';

/** Longer tables are for programs, and for those there are files. */
const MOST_ROWS = 50;

export function waves({ waves: all }: ReportData): string | undefined {
  if (all.length === 0) return undefined;
  const latest = all.slice(-MOST_ROWS);
  const earlier = all.length - latest.length;
  return blocks(
    '## Waves',
    earlier === 0 ? undefined : `The last ${latest.length}; ${counted(earlier, 'wave')} before.`,
    table(
      [
        { number: 'wave' },
        { number: 'tasks' },
        { number: 'completed' },
        { number: 'failed' },
        { number: 'timed out' },
        { number: 'denied' },
        { number: 'cancelled' },
        { number: 'skipped' },
        { number: 'waiting' },
        { number: 'success rate' },
        { number: '95 % interval' },
        'health',
      ],
      latest.map((wave) => [
        String(wave.wave),
        count(total(wave.counts)),
        count(wave.counts.completed),
        count(wave.counts.failed),
        count(wave.counts.timed_out),
        count(wave.counts.denied),
        count(wave.counts.cancelled),
        count(wave.counts.skipped),
        count(wave.counts.waiting),
        percent(wave.successRate),
        interval(wave),
        healthText(wave.health),
      ]),
    ),
    'How good the predictions and the plans were. The ratio is makespan / lower bound, 1 at best; the next two are as planned:',
    table(
      [
        { number: 'wave' },
        { number: 'predicted' },
        { number: 'Brier, raw' },
        { number: 'recalibrated' },
        { number: 'makespan' },
        { number: 'lower bound' },
        { number: 'ratio' },
        { number: 'plan' },
        { number: 'round-robin' },
        { number: 'stolen' },
      ],
      latest.map((wave) => [
        String(wave.wave),
        percent(wave.predictedMean),
        decimal(wave.brierRaw, 4),
        decimal(wave.brierCalibrated, 4),
        duration(wave.makespanMs),
        duration(wave.lowerBoundMs),
        decimal(wave.makespanRatio, 3),
        duration(wave.plannedMakespanMs),
        duration(wave.baselineRoundRobinMs),
        count(wave.steals),
      ]),
    ),
  );
}

export function agents({ agents: all }: ReportData): string | undefined {
  return section(
    'Agents',
    [
      'agent',
      { number: 'capacity' },
      ...TASK_COLUMNS,
      { number: 'learnt speed' },
      { number: 'busy' },
    ],
    all.map((agent) => [
      name(agent.agentId),
      count(agent.capacity),
      ...taskCells(agent),
      `${decimal(agent.speed, 2)} ×`,
      percent(agent.utilisation),
    ]),
  );
}

export function actions({ actions: all }: ReportData): string | undefined {
  return section(
    'Actions',
    ['action', ...TASK_COLUMNS, { number: 'predicted' }],
    all.map((action) => [name(action.action), ...taskCells(action), percent(action.predictedMean)]),
  );
}

const TASK_COLUMNS: readonly Column[] = [
  { number: 'tasks' },
  { number: 'scored' },
  { number: 'success rate' },
  { number: '95 % interval' },
  { number: 'p50' },
  { number: 'p95' },
];

function taskCells(tasks: ReportedTasks): string[] {
  return [
    count(total(tasks.counts)),
    count(scored(tasks.counts)),
    percent(tasks.successRate),
    interval(tasks),
    duration(tasks.durationMs.p50),
    duration(tasks.durationMs.p95),
  ];
}

/** Of nothing, the interval would say no more than 0 to 100 %. */
function interval({ successRate, successInterval }: ReportedTasks): string {
  return successRate === null ? '–' : percentRange(successInterval);
}

export function failures({ failures: all }: ReportData): string | undefined {
  return section(
    'Failures',
    ['code', { number: 'tasks' }, 'for example', 'message'],
    all
      .toSorted((a, b) => b.tasks - a.tasks)
      .map((failure) => [
        name(failure.code),
        count(failure.tasks),
        name(failure.exampleTaskId),
        plain(failure.exampleMessage),
      ]),
  );
}

const SEVERITIES: readonly Anomaly['severity'][] = ['critical', 'warning', 'info'];

export function anomalies({ anomalies: all }: ReportData): string | undefined {
  const pressingFirst = SEVERITIES.flatMap((severity) =>
    all.filter((anomaly) => anomaly.severity === severity),
  );
  return section(
    'Anomalies',
    [
      'severity',
      'kind',
      { number: 'wave' },
      'agent',
      { number: 'statistic' },
      { number: 'threshold' },
      { number: 'times' },
      'for example',
      'recommendation',
    ],
    pressingFirst.map((anomaly) => [
      anomaly.severity,
      name(anomaly.kind),
      String(anomaly.wave),
      anomaly.scope.kind === 'agent' ? name(anomaly.scope.agentId) : 'all',
      significant(anomaly.statistic),
      significant(anomaly.threshold),
      count(anomaly.count),
      anomaly.evidence.slice(0, 3).map(name).join(', '),
      plain(anomaly.recommendation),
    ]),
  );
}

export function learning({ feedback }: ReportData): string | undefined {
  const calibrators = capped(
    [
      'action',
      { number: 'outcomes' },
      'recalibrated',
      { number: 'Brier before' },
      { number: 'Brier after' },
    ],
    feedback.calibrators.map((calibrator) => [
      name(calibrator.action),
      count(calibrator.observations),
      calibrator.isActive ? 'yes' : 'no need',
      decimal(calibrator.brierBefore, 4),
      decimal(calibrator.brierAfter, 4),
    ]),
  );
  const heuristics = capped(
    [
      'heuristic',
      { number: 'outcomes' },
      { number: 'predicted' },
      { number: 'success rate' },
      'recommendation',
    ],
    feedback.heuristics.map((heuristic) => [
      name(heuristic.heuristic),
      count(heuristic.observations),
      percent(heuristic.predictedMean),
      percent(heuristic.successRate),
      plain(heuristic.recommendation),
    ]),
  );
  if (calibrators === undefined && heuristics === undefined) return undefined;
  return blocks('## What was learnt', calibrators, heuristics);
}

export function waiting({ waiting: all }: ReportData): string | undefined {
  return section(
    'Waiting for a person',
    ['task', { number: 'wave' }, 'action', 'what to decide', 'approval'],
    all.map((task) => [
      name(task.taskId),
      String(task.wave),
      name(task.action),
      plain(task.reason),
      task.approvalId === null ? '–' : name(task.approvalId),
    ]),
  );
}

export function input({ load }: ReportData): string {
  const kinds = Map.groupBy(load.problems, ({ kind }) => kind);
  return blocks(
    '## Input',
    `Read from ${load.sources.length === 0 ? 'a stream' : load.sources.map(name).join(', ')}: ` +
      `${counted(load.taskCount, 'task')}, ${counted(load.problems.length, 'problem')}.`,
    table(
      ['problem', { number: 'times' }],
      [...kinds].map(([kind, problems]) => [name(kind), count(problems.length)]),
    ),
    capped(
      ['file', { number: 'line' }, 'problem', 'where', 'message'],
      load.problems.map(problemCells),
      load.problemsFile,
    ),
  );
}

function problemCells({ file, line, kind, taskId, path, message }: LoadProblem): string[] {
  const where = [taskId, path].filter((part) => part !== null).map(name);
  return [name(file), line === 0 ? '–' : String(line), name(kind), where.join(' '), plain(message)];
}

export function runDetails({ run }: ReportData): string {
  return blocks(
    '## This run',
    table(
      ['what', 'value'],
      [
        ['id', name(run.id)],
        ['seed', run.seed === null ? 'none' : plain(String(run.seed))],
        ['clock', run.clock],
        ['started', moment(run.startedAt)],
        ['ended', moment(run.endedAt)],
        ['strategy', name(run.strategy)],
      ],
    ),
  );
}

function section(
  title: string,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string | undefined {
  const body = capped(columns, rows);
  return body === undefined ? undefined : blocks(`## ${title}`, body);
}

/** A table of the first rows, and how many there are besides. */
export function capped(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  file: string | null = null,
): string | undefined {
  const body = table(columns, rows.slice(0, MOST_ROWS));
  if (body === undefined || rows.length <= MOST_ROWS) return body;
  const where = file === null ? '' : `; all are in ${name(file)}`;
  return blocks(body, `And ${count(rows.length - MOST_ROWS)} more${where}.`);
}
