import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { defineTool } from '@buddy/core';
import { createSandbox, type RunResult, type Spawn } from '@buddy/sandbox';
import { z } from 'zod';

/** What a bomb did to its host: a process of its own, for memory that others left behind would hide it. */
export interface BombReport {
  status: RunResult['status'];
  /** Of the limit that was reached, or the name of the error. */
  reason: string;
  hostGrowthMb: number;
  childPeakMb: number;
  /** The longest time the event loop was away. For people to read: it depends on what else the machine does. */
  blockedMs: number;
  isAlive: boolean;
}

interface Bomb {
  code: string;
  /** A program for the child's place, which says what it likes; without it, `code` runs in a true child. */
  hostile?: string;
  memoryMb: number;
  folder: string;
}

const echo = defineTool({
  name: 'echo',
  description: 'Says it again.',
  tier: 1,
  input: z.unknown(),
  output: z.unknown(),
  execute: (given) => given,
});

async function explode({ code, hostile, memoryMb, folder }: Bomb): Promise<BombReport> {
  const place = `${folder}/hostile-${process.pid}.cjs`;
  if (hostile !== undefined) writeFileSync(place, hostile);
  const inItsPlace: Spawn = (command, args, options) =>
    spawn(
      command,
      args.map((each) => each.replaceAll(args.at(-1) ?? '', place)),
      options,
    );
  await using sandbox = await createSandbox(
    {
      tools: [echo],
      limits: { memoryMb, wallMs: hostile === undefined ? 5_000 : 1_000 },
      poolSize: 1,
      osIsolation: 'off',
    },
    hostile === undefined ? {} : { spawn: inItsPlace },
  );
  if (hostile === undefined) await sandbox.run('await tools.echo(1)');
  const before = process.memoryUsage.rss();
  let peak = before;
  const look = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 2);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const result = await sandbox.run(code);
  delay.disable();
  clearInterval(look);
  peak = Math.max(peak, process.memoryUsage.rss());
  await using another = await createSandbox({ poolSize: 1, osIsolation: 'off' });
  return {
    status: result.status,
    reason:
      result.status === 'limit'
        ? result.limit.kind
        : result.status === 'ok' || result.status === 'paused'
          ? ''
          : result.error.name,
    hostGrowthMb: Math.round((peak - before) / 2 ** 20),
    childPeakMb: result.usage.peakMb,
    blockedMs: Math.round(delay.max / 1e6),
    isAlive: (await another.run('1')).status === 'ok',
  };
}

process.stdin.once('data', (bytes: Buffer) => {
  // The test wrote it.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const bomb = JSON.parse(bytes.toString()) as Bomb;
  void explode(bomb).then((report) => process.stdout.write(JSON.stringify(report)));
});
