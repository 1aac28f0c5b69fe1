#!/usr/bin/env node
import { once } from 'node:events';
import { runCommandLine } from './command-line.ts';

// Whoever reads on has seen enough (`… | head`).
process.stdout.on('error', (error) => {
  process.exit(Reflect.get(error, 'code') === 'EPIPE' ? 0 : 1);
});

process.exitCode = await runCommandLine(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  untilToldToStop: async () => {
    // A terminal that is closed hangs up.
    await Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => once(process, signal)));
  },
});
