import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { CONTENDERS } from '../sandboxes/contenders.ts';
import type { OpenSandbox, SandboxContender } from '../sandboxes/contender.ts';
import type { HostTask, TaskAnswer } from '../measure/sandbox-host.ts';

const call = async (n: number): Promise<number> => n + 1;

// Started by measure/sandbox-host.ts with the name of a contender and a task; prints the answer as its last line.
const asked = CONTENDERS.find(({ name }) => name === process.argv[2]);
// Of our own making: measure/sandbox-host.ts writes it.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const given = JSON.parse(process.argv[3] ?? '') as HostTask;
if (!asked) throw new Error(`No contender is named ${process.argv[2]}`);
const answer: TaskAnswer = await doTask(asked, given);
process.stdout.write(`${JSON.stringify(answer)}\n`);
process.exit(0); // whatever a contender has left running

async function doTask(contender: SandboxContender, task: HostTask): Promise<TaskAnswer> {
  const { timeoutMs = 10_000, memoryMb = 128, kind } = task;
  let sandbox: OpenSandbox;
  try {
    sandbox = await contender.open({ kind, timeoutMs, memoryMb, call });
  } catch (error) {
    return { numbers: [], missing: error instanceof Error ? error.message : String(error) };
  }
  switch (task.type) {
    case 'latency':
      return { numbers: await latencies(sandbox, task) };
    case 'rate':
      return { numbers: [await runsPerSecond(sandbox, task)] };
    case 'hostile':
      return hostile(sandbox, task);
    case 'idle':
      return { numbers: await idleMb(sandbox) };
  }
}

/** Milliseconds of each run, one after the other. */
async function latencies(
  sandbox: OpenSandbox,
  { code, runs, warmUps, pauseMs }: Extract<HostTask, { type: 'latency' }>,
): Promise<number[]> {
  const times: number[] = [];
  for (let at = -warmUps; at < runs; at += 1) {
    await sleep(pauseMs);
    const startedAt = performance.now();
    await sandbox.run(code);
    const ms = performance.now() - startedAt;
    if (at >= 0) times.push(ms);
  }
  return times;
}

async function runsPerSecond(
  sandbox: OpenSandbox,
  { code, width, seconds }: Extract<HostTask, { type: 'rate' }>,
): Promise<number> {
  let runs = 0;
  const keepRunning = async (until: number): Promise<void> => {
    while (performance.now() < until) {
      await sandbox.run(code);
      runs += 1;
    }
  };
  const runFor = async (forSeconds: number): Promise<number> => {
    const startedAt = performance.now();
    runs = 0;
    await Promise.all(
      Array.from({ length: width }, () => keepRunning(startedAt + forSeconds * 1_000)),
    );
    return runs / ((performance.now() - startedAt) / 1_000);
  };
  await runFor(Math.min(1, seconds / 2)); // warms up
  return runFor(seconds);
}

/** How long it took to stop it, the longest time that nothing else could run here, and whether the next program runs. */
async function hostile(
  sandbox: OpenSandbox,
  { code }: Extract<HostTask, { type: 'hostile' }>,
): Promise<TaskAnswer> {
  await sandbox.run('1 + 1');
  await sleep(300);
  let blockMs = 0;
  let lastAt = performance.now();
  setInterval(() => {
    const now = performance.now();
    blockMs = Math.max(blockMs, now - lastAt - 1);
    lastAt = now;
  }, 1);
  const startedAt = performance.now();
  let said = 'let through';
  try {
    await sandbox.run(code);
  } catch {
    said = 'stopped';
  }
  const wallMs = performance.now() - startedAt;
  await sleep(20);
  return { numbers: [wallMs, blockMs], said };
}

/** The proportional share of memory of every process that waits for work, in MB. */
async function idleMb(sandbox: OpenSandbox): Promise<number[]> {
  await sandbox.run('1 + 1');
  await sleep(2_000);
  return descendants(process.pid)
    .map((pid) => readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))
    .map((text) => Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1]) / 1_024);
}

function descendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
  return children
    .split(' ')
    .filter((child) => child !== '')
    .flatMap((child) => [Number(child), ...descendants(Number(child))]);
}
