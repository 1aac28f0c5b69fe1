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

process.exitCode = await runCommandLine(COMMANDS, process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  clock: systemClock,
  whenInterrupted: () => {
    isInterruptible = true;
    // Once each: who asks again does not want to wait, and then the system ends the program.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => interruption.abort());
    }
    return interruption.signal;
  },
});
