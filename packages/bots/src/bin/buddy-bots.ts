#!/usr/bin/env node
import { systemClock } from '@buddy/core';
import { runCommandLine } from './command-line.ts';
import { COMMANDS } from './commands.ts';

const interruption = new AbortController();
let isInterruptible = false;

// Whoever reads on has seen enough (`… | head`): a supervisor stops its bots, all else just ends.
process.stdout.on('error', (error) => {
  if (isInterruptible) interruption.abort();
  else process.exit(Reflect.get(error, 'code') === 'EPIPE' ? 0 : 2);
});

/** A terminal's Ctrl-C reaches this process once from the terminal and once more from the package manager that started it. */
const SAME_KEYPRESS_MS = 500;
let askedAt = 0;

/** Who asks again does not want to wait: what is left then is ended by the process that watches over our end. */
function interrupt(): void {
  if (!interruption.signal.aborted) {
    askedAt = systemClock.monotonic();
    interruption.abort();
  } else if (systemClock.monotonic() - askedAt > SAME_KEYPRESS_MS) process.exit(130);
}

process.exitCode = await runCommandLine(COMMANDS, process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  clock: systemClock,
  whenInterrupted: () => {
    isInterruptible = true;
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, interrupt);
    return interruption.signal;
  },
});
