#!/usr/bin/env node
import { systemClock } from '@buddy/core';
import { runCommandLine } from './command-line.ts';
import { logs, restart, start, stop } from './control-commands.ts';
import { list, status } from './registry-commands.ts';
import { run } from './run-command.ts';
import { exportBots, importBots } from './transfer-commands.ts';

// Whoever reads on has seen enough (`… | head`).
process.stdout.on('error', (error) => {
  process.exit(Reflect.get(error, 'code') === 'EPIPE' ? 0 : 2);
});

const interruption = new AbortController();

process.exitCode = await runCommandLine(
  [run, list, status, start, stop, restart, logs, importBots, exportBots],
  process.argv.slice(2),
  {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    clock: systemClock,
    whenInterrupted: () => {
      // Once each: who asks again does not want to wait, and then the system ends the program.
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
        process.once(signal, () => interruption.abort());
      }
      return interruption.signal;
    },
  },
);
