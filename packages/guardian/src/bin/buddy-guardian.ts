#!/usr/bin/env node
import { systemClock } from '@buddy/core';
import { runProgram } from './program.ts';

// Whoever reads on has seen enough (`… | head`).
process.stdout.on('error', (error) => {
  process.exit(Reflect.get(error, 'code') === 'EPIPE' ? 0 : 2);
});

const exitCode = await runProgram(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  clock: systemClock,
  folder: process.cwd(),
});
// Resources of the config module may hold timers and sockets that nobody waits for any more.
process.stdout.write('', () => process.exit(exitCode));
