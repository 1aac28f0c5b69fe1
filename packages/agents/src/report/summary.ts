import { wilsonInterval } from '@buddy/core';
import type { OutcomeStatus } from '../task/outcome.ts';
import { blocks, name, plain, table } from './markdown.ts';
import { count, counted, decimal, duration, percent, percentRange } from './numbers.ts';
import type { ReportData, ReportedHealth } from './report-data.ts';
import type { ForecastRecord } from './reliability/reliability-collector.ts';

/** The answers for whoever reads no further. */
export function summary(data: ReportData): string {
  const { run } = data;
  return blocks(
    `# Run ${name(run.id)}: ${run.status}`,
    run.reason === null ? undefined : `It was ${run.status}: ${plain(run.reason)}`,
    table(
      ['Question', 'Answer'],
      [
        ['Did it work?', success(data)],
        ['How healthy is it?', healthText(data.health)],
        ['Were the predictions right?', predictions(data)],
        ['Was the work shared well?', sharing(data)],
        ['What was not done?', undone(data.counts)],
        [
          'How much work was it?',
          `${counted(total(data.counts), 'task')} in ${counted(data.waves.length, 'wave')} ` +
            `by ${counted(data.agents.length, 'agent')}, ` +
            `${duration(run.endedAt - run.startedAt)} on a ${run.clock} clock`,
        ],
      ],
    ),
  );
}

export function notes({ notes: sentences }: ReportData): string | undefined {
  if (sentences.length === 0) return undefined;
  return blocks('## Please note', sentences.map((note) => `- ${plain(note)}`).join('\n'));
}

export function pictures(
  { reliability, timeline }: ReportData,
  paths: { reliability: string; timeline: string },
): string {
  const spanMs = timeline.endedAt - timeline.startedAt;
  return blocks(
    '## Pictures',
    `![Reliability of ${counted(reliability.predicted.count, 'prediction')}: ` +
      `${percent(reliability.predicted.meanForecast)} foretold, ` +
      `${percent(observed(reliability.predicted))} came true](${paths.reliability})`,
    `![Who was busy when: ${counted(timeline.agents.length, 'agent')}, ` +
      `${counted(timeline.waves.length, 'wave')}, ${duration(spanMs)}](${paths.timeline})`,
  );
}

export function healthText({ score, status }: ReportedHealth): string {
  return score === null ? plain(status) : `${Math.round(score)} of 100: ${plain(status)}`;
}

export function total(counts: Readonly<Record<OutcomeStatus, number>>): number {
  return Object.values(counts).reduce((a, b) => a + b, 0);
}

export function scored(counts: Readonly<Record<OutcomeStatus, number>>): number {
  return counts.completed + counts.failed + counts.timed_out;
}

export function observed(record: ForecastRecord): number | null {
  return record.count === 0 ? null : record.successes / record.count;
}

function success({ counts }: ReportData): string {
  const tried = scored(counts);
  if (tried === 0) return 'No task came to an end that counts';
  return (
    `${count(counts.completed)} of ${counted(tried, 'scored task')} succeeded: ` +
    `**${percent(counts.completed / tried)}** ` +
    `(95 % interval ${percentRange(wilsonInterval(counts.completed, tried))}); ` +
    `${count(counts.failed)} failed, ${count(counts.timed_out)} timed out`
  );
}

function predictions({ reliability: { predicted, calibrated } }: ReportData): string {
  if (predicted.count === 0) return 'Nothing to compare them with';
  return (
    `They said ${percent(predicted.meanForecast)}, ${percent(observed(predicted))} came true; ` +
    `Brier score ${decimal(predicted.brier, 3)}, ` +
    `${decimal(calibrated.brier, 3)} as recalibrated (0 is best)`
  );
}

function sharing({ waves }: ReportData): string {
  const sum = (valueOf: (wave: ReportData['waves'][number]) => number) =>
    waves.reduce((a, wave) => a + valueOf(wave), 0);
  const lowerBoundMs = sum((wave) => wave.lowerBoundMs);
  const plannedMs = sum((wave) => wave.plannedMakespanMs);
  if (lowerBoundMs === 0 || plannedMs === 0) return 'Nothing was shared';
  const ratio = sum((wave) => wave.makespanMs) / lowerBoundMs;
  const roundRobin = sum((wave) => wave.baselineRoundRobinMs) / plannedMs;
  return (
    `The waves took ${decimal(ratio, 2)} times the least possible; ` +
    `dealt round-robin, the plan would take ${decimal(roundRobin, 2)} times as long`
  );
}

function undone({ denied, cancelled, skipped, waiting }: ReportData['counts']): string {
  const parts = [
    [waiting, 'waiting for a person'],
    [denied, 'denied'],
    [skipped, 'skipped'],
    [cancelled, 'cancelled'],
  ] as const;
  const said = parts.filter(([size]) => size > 0).map(([size, what]) => `${count(size)} ${what}`);
  return said.length === 0 ? 'Nothing was left' : said.join(', ');
}
