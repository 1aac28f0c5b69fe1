import { type Clock, fitForTerminal } from '@buddy/core';
import type { Command } from 'commander';

/** What the program needs of the process that it runs in. */
export interface Host {
  /** For what was asked. */
  readonly out: (text: string) => void;
  /** For all else. */
  readonly err: (text: string) => void;
  readonly clock: Clock;
  /** Where relative paths begin. */
  readonly folder: string;
}

export interface Answer {
  /** For people. */
  readonly text: string;
  /** For programs. */
  readonly json: unknown;
  /** 0: as it should be, or done. 1: the answer is no. */
  readonly exitCode: 0 | 1;
}

/**
 * Lets a command answer, for people or as JSON.
 * @param run Is handed the operands in their order, and the options by name.
 */
export function answering(
  command: Command,
  { host, onExitCode }: { host: Host; onExitCode: (code: 0 | 1) => void },
  run: (operands: readonly string[], options: Readonly<Record<string, unknown>>) => Promise<Answer>,
): void {
  command.option('--json', 'the answer as JSON, for programs').action(async () => {
    const { json: isJson, ...options } = command.opts<Record<string, unknown>>();
    const answer = await run(command.args, options);
    if (isJson === true) host.out(`${JSON.stringify(answer.json, null, 2)}\n`);
    else host.out(fitForTerminal(answer.text));
    onExitCode(answer.exitCode);
  });
}

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const;

/** `3 min`, in one unit; `-` when there is none. */
export function durationOf(ms: number | undefined): string {
  if (ms === undefined) return '-';
  const [unitMs, unit] = UNITS.find(([least]) => ms >= least) ?? [1, 'ms'];
  return unit === 's' ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / unitMs)} ${unit}`;
}

/** `83 %`; `-` when there is none. */
export function percentOf(share: number | undefined): string {
  return share === undefined ? '-' : `${Math.round(share * 100)} %`;
}
