import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Figure } from '../measure/figure.ts';
import { summary } from '../measure/rounds.ts';

const PARKED = 10_000;
const IDLE_MS = 5_000;
const ROUNDS = 3;

const Waiting = z.object({ heapMb: z.number(), residentMb: z.number(), idleCommits: z.int() });
const Restart = z.object({ resumed: z.int(), firstCallMs: z.number() });

/** What approvals cost an embedded engine that nobody has decided on, and how soon a process that was killed is back at work. */
export async function measureEngineParked(): Promise<Figure[]> {
  const waiting: z.output<typeof Waiting>[] = [];
  const beside: number[] = [];
  const alone: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [parked, firstCalls] of [
      [PARKED, beside],
      [0, alone],
    ] as const) {
      const folder = await mkdtemp(join(tmpdir(), 'buddy-bench-parked-'));
      try {
        const before = Waiting.parse(await firstLine(folder, parked));
        if (parked > 0) waiting.push(before);
        firstCalls.push(Restart.parse(await firstLine(folder, parked)).firstCallMs);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }
  }
  return [
    {
      name: `${PARKED} parked approvals: memory, resident`,
      unit: 'MB',
      ...summary(waiting.map(({ residentMb }) => residentMb)),
      target: { is: 'at most', value: 20 },
    },
    {
      name: `${PARKED} parked approvals: heap`,
      unit: 'MB',
      ...summary(waiting.map(({ heapMb }) => heapMb)),
    },
    {
      name: `${PARKED} parked approvals: commits in ${IDLE_MS / 1_000} s in which nothing happens`,
      unit: '',
      measured: Math.max(...waiting.map(({ idleCommits }) => idleCommits)),
      target: { is: 'at most', value: 0 },
    },
    {
      name: 'killed: from the journal to the interrupted call, beside 500 that wait',
      unit: 'ms',
      ...summary(alone),
      target: { is: 'at most', value: 250 },
    },
    {
      name: `killed: the same, beside ${PARKED} more`,
      unit: 'ms',
      ...summary(beside),
    },
  ];
}

/** What the child prints first; then it is killed. */
async function firstLine(folder: string, parked: number): Promise<unknown> {
  const program = fileURLToPath(new URL('../children/parked-approvals.ts', import.meta.url));
  const child = spawn(
    process.execPath,
    ['--conditions=@buddy/source', '--expose-gc', program, folder, `${parked}`, `${IDLE_MS}`],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const gone = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    child.kill('SIGKILL');
    await gone;
    return JSON.parse(line);
  }
  throw new Error(`${program} ended before it had measured anything`);
}
