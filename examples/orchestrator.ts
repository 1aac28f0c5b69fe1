import { describeFailure } from '@buddy/core';
import { cancelRun } from './orchestrator/cancel-run.ts';
import { type Command, HELP, parseArguments, UsageError } from './orchestrator/arguments.ts';
import type { RunReport } from './orchestrator/job.ts';
import { nextCommands } from './orchestrator/next-commands.ts';
import { goOn, resume, runOrchestrator, type Surroundings } from './orchestrator/run.ts';
import { summaryOf } from './orchestrator/summary.ts';

/** The command line of the main job: `npx -y pnpm@12 start`. */
const EXIT = { completed: 0, failed: 1, usage: 2, interrupted: 130 } as const;
// pnpm runs scripts in the package's folder and tells here where it was called from.
const folder = process.env['INIT_CWD'] ?? process.cwd();
const environment: Readonly<Record<string, string | undefined>> = {
  DRY_RUN: 'true',
  ...process.env,
};

/** A terminal's Ctrl-C reaches this process once from the terminal and once more from pnpm. */
const SAME_KEYPRESS_MS = 500;

// Whoever reads the output may stop reading (`| head`), its disk may be full; the run and its files do not depend on it.
let isOutputLost = false;
process.stderr.on('error', () => undefined); // nowhere is left to say it
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (isOutputLost || error.code === 'EPIPE') return;
  isOutputLost = true;
  process.stderr.write(`The output cannot be written (${error.message}); the run goes on.\n`);
});

process.exitCode = await main();

async function main(): Promise<number> {
  const interrupted = new AbortController();
  let askedAt = 0;
  const interrupt = () => {
    if (interrupted.signal.aborted) {
      if (performance.now() - askedAt > SAME_KEYPRESS_MS) process.exit(EXIT.interrupted);
      return;
    }
    askedAt = performance.now();
    process.stderr.write('\nStopping; once more to stop at once.\n');
    interrupted.abort('interrupted');
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    const command = parseArguments(process.argv.slice(2), folder);
    if (command.kind === 'help') {
      process.stdout.write(HELP);
      return EXIT.completed;
    }
    if (command.kind === 'cancel') {
      const { run, json } = command.arguments;
      const cancelled = await cancelRun(run);
      process.stdout.write(
        json ? `${JSON.stringify(cancelled)}\n` : `Run ${cancelled.runId} is being stopped.\n`,
      );
      return EXIT.completed;
    }
    const { signal } = interrupted;
    const surroundings = { folder, environment, signal, stream: process.stderr };
    const report = await carryOut(command, surroundings);
    const { result } = report;
    const isColoured = process.stdout.isTTY && (environment['NO_COLOR'] ?? '') === '';
    process.stdout.write(
      command.arguments.json ? jsonOf(report) : summaryOf(report, { isColoured }),
    );
    return result.status === 'cancelled' ? EXIT.interrupted : EXIT.completed;
  } catch (error) {
    const { code, message } = describeFailure(error);
    process.stderr.write(`${code}: ${message}\n`);
    if (!(error instanceof UsageError)) return EXIT.failed;
    process.stderr.write('See --help.\n');
    return EXIT.usage;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

function carryOut(
  command: Exclude<Command, { kind: 'help' | 'cancel' }>,
  surroundings: Surroundings,
): Promise<RunReport> {
  switch (command.kind) {
    case 'run':
      return runOrchestrator(command.arguments, surroundings);
    case 'goOn':
      return goOn(command.arguments, surroundings);
    case 'resume':
      return resume(command.arguments, surroundings);
  }
}

function jsonOf({
  result,
  programs,
  gate,
  healing,
  folder: written,
  runFolder,
  reportPath,
}: RunReport): string {
  const next = result.status === 'waiting' ? nextCommands(runFolder) : null;
  const all = {
    ...result,
    programs,
    governance: gate,
    ...(healing && { healing }),
    folder: written,
    report: reportPath,
    next,
  };
  return `${JSON.stringify(all, null, 2)}\n`;
}
