import { wilsonInterval } from '@buddy/core';
import type { Anomaly } from '../monitor/anomaly.ts';
import { blocks, name, plain } from './markdown.ts';
import { counted, percent } from './numbers.ts';
import type { ReportData } from './report-data.ts';
import { observed, scored } from './summary.ts';

/** What a person should do now, most pressing first. */
export function nextSteps(data: ReportData): string {
  const steps = [
    unfinished(data),
    waiting(data),
    ...pressingAnomalies(data),
    weakestAction(data),
    ...ofSections(data),
    denied(data),
    inputProblems(data),
    miscalibration(data),
  ].filter((step) => step !== undefined);
  const list = steps.map((step, index) => `${index + 1}. ${step}`).join('\n');
  return blocks('## What to do next', list === '' ? 'Nothing: all is as it should be.' : list);
}

function unfinished({ run }: ReportData): string | undefined {
  return UNFINISHED[run.status];
}

const UNFINISHED: Readonly<Record<ReportData['run']['status'], string | undefined>> = {
  completed: undefined,
  waiting: undefined, // the tasks that wait are a step of their own
  cancelled: 'Run it again for the tasks that are left: it was cancelled.',
  failed: 'Mend what made the run fail (above), then run it again.',
};

function waiting({ counts, waiting: tasks }: ReportData): string | undefined {
  if (counts.waiting === 0) return undefined;
  const what = counts.waiting === 1 ? '1 task waits' : `${counted(counts.waiting, 'task')} wait`;
  return `Decide: ${what} for a person${below(tasks, 'waiting-for-a-person')}.`;
}

const MOST_ANOMALIES = 3;

/** Critical ones; where there is none, warnings. */
function pressingAnomalies({ anomalies }: ReportData): string[] {
  const criticals = anomalies.filter(({ severity }) => severity === 'critical');
  const warnings = anomalies.filter(({ severity }) => severity === 'warning');
  const pressing = criticals.length > 0 ? criticals : warnings;
  const steps = pressing
    .slice(0, MOST_ANOMALIES)
    .map((anomaly) => `${scopeOf(anomaly)}: ${plain(anomaly.recommendation)}`);
  const rest = pressing.length - steps.length;
  if (rest > 0)
    steps.push(
      `Look at ${counted(rest, 'more anomaly', 'more anomalies')}${below(anomalies, 'anomalies')}.`,
    );
  return steps;
}

function scopeOf({ scope, wave }: Anomaly): string {
  return scope.kind === 'agent' ? `Agent ${name(scope.agentId)}, wave ${wave}` : `Wave ${wave}`;
}

/** The action that surely succeeds less often than all tasks together, if there is one. */
function weakestAction({ actions, counts, failures }: ReportData): string | undefined {
  const overall = wilsonInterval(counts.completed, scored(counts));
  const [weakest] = actions
    .filter(({ successInterval }) => successInterval.upper < overall.lower)
    .toSorted((a, b) => (a.successRate ?? 0) - (b.successRate ?? 0));
  if (!weakest) return undefined;
  return (
    `Find out why ${name(weakest.action)} succeeds least often: ` +
    `${percent(weakest.successRate)} of ${counted(scored(weakest.counts), 'task')}${below(failures, 'failures')}.`
  );
}

function ofSections({ sections }: ReportData): string[] {
  return sections.flatMap(({ nextStep }) => (nextStep === null ? [] : [plain(nextStep)]));
}

function denied({ counts }: ReportData): string | undefined {
  if (counts.denied === 0) return undefined;
  return `Check the policy, or the plan: ${counted(counts.denied, 'task')} denied.`;
}

function inputProblems({ load }: ReportData): string | undefined {
  const { length } = load.problems;
  if (length === 0) return undefined;
  return `Mend the input: ${counted(length, 'problem')} found in it${below(load.problems, 'input')}.`;
}

/** Said only when chance alone would seldom explain the difference. */
function miscalibration({ reliability: { predicted } }: ReportData): string | undefined {
  const { meanForecast, count, successes } = predicted;
  if (meanForecast === null) return undefined;
  const { lower, upper } = wilsonInterval(successes, count);
  if (meanForecast >= lower && meanForecast <= upper) return undefined;
  const fault = meanForecast > upper ? 'promises too much' : 'promises too little';
  return (
    `Teach the predictor: it ${fault} (${percent(meanForecast)} foretold, ` +
    `${percent(observed(predicted))} came true). Until then the plans use what was learnt.`
  );
}

/** A link to a section that is there only when there is something in it. */
function below(rows: readonly unknown[], section: string): string {
  return rows.length === 0 ? '' : ` ([below](#${section}))`;
}
