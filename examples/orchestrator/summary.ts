import { styleText } from 'node:util';
import type { HealingCounts } from '../healing/healing-ledger.ts';
import { counted, type ProgramCounts } from './program-ledger.ts';
import type { GateCounts } from './gate-ledger.ts';
import type { RunReport } from './job.ts';
import { nextCommands } from './next-commands.ts';

/** A run in a few lines, for people. */
export function summaryOf(
  { result, runFolder, reportPath, programs, gate, healing, notes }: RunReport,
  { isColoured }: { isColoured: boolean },
): string {
  const { status, counts, health, tasks, problems, waiting, unfinishedWaves, startedAt, endedAt } =
    result;
  const scored = counts.completed + counts.failed + counts.timed_out;
  const bold = (text: string) =>
    isColoured ? styleText('bold', text, { validateStream: false }) : text;
  const score = health.score === null ? '' : ` ${health.score.toFixed(1)}`;
  const lines = [
    '',
    bold(`Run ${result.runId}: ${STATUS[status]}`),
    `  tasks      ${tasks}: ${countsOf(counts)}`,
    `  success    ${scored === 0 ? 'nothing was scored' : `${((100 * counts.completed) / scored).toFixed(1)} % of ${scored} scored`}`,
    `  health     ${health.status}${score}`,
    `  time       ${duration(endedAt - startedAt)} on the run's clock`,
    `  input      ${inputOf(problems)}`,
    ...programsOf(programs),
    ...gateOf(gate),
    ...(healing ? [healingOf(healing)] : []),
    ...(unfinishedWaves.length > 0 ? [`  unfinished waves ${unfinishedWaves.join(', ')}`] : []),
    ...(waiting.length > 0 ? [`  waiting    ${waiting.length} for a person; see the report`] : []),
    ...(status === 'waiting' && gate.pending > 0 ? howToGoOn(runFolder) : []),
    ...notes.map((note) => `  note       ${note}`),
    `  report     ${reportPath}`,
    '',
  ];
  return lines.join('\n');
}

/** Nothing when no program ran. */
function programsOf({ runs, violations }: ProgramCounts): string[] {
  const ran = Object.values(runs).reduce((a, b) => a + b, 0);
  if (ran === 0) return [];
  const tried = violations === 0 ? '' : `; ${counted(violations, 'violation')}`;
  return [`  code       ${counted(ran, 'program')}: ${countsOf(runs)}${tried}`];
}

function gateOf({ calls, denied, approvals }: GateCounts): string[] {
  const used = Object.values(approvals).reduce((a, b) => a + b, 0);
  return [
    `  governed   ${counted(calls, 'call')}, each in the log before it was made; ${denied} denied, ${used} approved`,
  ];
}

function healingOf({ faults, healed, incidents, mttr }: HealingCounts): string {
  const all = Object.values(incidents).reduce((a, b) => a + b, 0);
  const mean =
    mttr.meanMs === null ? '' : `, ${(mttr.meanMs / 1_000).toFixed(1)} s to restore in the mean`;
  const left = faults.filter(({ healedMs }) => healedMs === null);
  const names = left.map(({ kind, target }) => `${kind} of ${target}`).join(', ');
  const not = left.length === 0 ? '' : `; not healed: ${names}`;
  return `  healed     ${healed} of ${counted(faults.length, 'fault')}; ${counted(all, 'incident')}${mean}${not}`;
}

function howToGoOn(runFolder: string): string[] {
  const { list, approve, approveAll, deny, goOn } = nextCommands(runFolder);
  return [
    `  look       ${list}`,
    `  approve    ${approve}`,
    `  or all     ${approveAll}`,
    `  or deny    ${deny}`,
    `  go on      ${goOn}`,
  ];
}

const STATUS = {
  completed: 'completed',
  waiting: 'completed, but for tasks that wait for a person',
  cancelled: 'interrupted; the files hold what was done',
} as const;

function inputOf(problems: number): string {
  if (problems === 0) return 'no problems';
  const count = problems === 1 ? '1 problem' : `${problems} problems`;
  return `${count}, listed in phase21/load_problems.jsonl`;
}

function countsOf(counts: Readonly<Record<string, number>>): string {
  const shown = Object.entries(counts).filter(([, count]) => count > 0);
  return (
    shown.map(([status, count]) => `${count} ${status.replace('_', ' ')}`).join(', ') || 'none'
  );
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  return hours > 0
    ? `${hours} h ${minutes} min`
    : minutes > 0
      ? `${minutes} min ${seconds % 60} s`
      : `${seconds} s`;
}
