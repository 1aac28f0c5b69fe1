import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { driftOf } from './soak/drift.ts';
import type { Turn } from './soak/real-faults.ts';

const program = new URL('soak/run.ts', import.meta.url).pathname;

describe('the soak of real faults', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'guardian-soak-test-'));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const run = (...more: string[]): ChildProcess => {
    const fixed = ['--expose-gc', '--conditions=@buddy/source', program, '--folder', folder];
    const plan = ['--minutes', '0.08', '--every', '0.1', '--only', 'config_missing,policy_drift'];
    return spawn(process.execPath, [...fixed, ...plan, ...more], { stdio: 'ignore' });
  };
  const turns = async (): Promise<number> =>
    (await readFile(join(folder, 'turns.jsonl'), 'utf8').catch(() => '')).split('\n').length - 1;

  it('goes on where it was killed, and accounts for every symptom', async () => {
    const killed = run();
    while ((await turns()) < 2 && killed.exitCode === null) await sleep(20);
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    const before = await turns();
    await once(run('--resume'), 'exit');
    const report: unknown = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8'));
    expect(report).toMatchObject({
      ran: { faults: expect.toSatisfy((faults: number) => faults > before && before >= 2) },
      ledger: { pending: 0 },
      silent_failures: 0,
      open_at_the_end: [],
      not_healed: [],
    });
  });

  it('begins no other soak in a folder that holds one', async () => {
    await writeFile(join(folder, 'turns.jsonl'), '');
    expect(await once(run(), 'exit')).toEqual([2, null]);
  });
});

const turn = (index: number, heapMb: number): Turn => ({
  at: index * 60_000,
  playbook: 'a',
  fault: 'a',
  outcome: 'restored',
  outcomes: ['restored'],
  healedMs: 100,
  isNoticed: true,
  ranMs: index * 60_000,
  heapMb,
  rssMb: 100,
  descriptors: 20,
});

const heapOf = (grow: (index: number) => number) =>
  driftOf(Array.from({ length: 90 }, (_, index) => turn(index, grow(index)))).find(
    ({ what }) => what === 'heap',
  );

describe('drift', () => {
  it('is growth that goes on', () => {
    const heap = heapOf((index) => 30 + index * 0.1);
    expect(heap?.isDrifting).toBe(true);
    expect(heap?.perHour).toBeCloseTo(6);
  });

  it('is neither what goes up and down nor what was there before everything was done once', () => {
    expect(heapOf((index) => 30 + (index % 7))?.isDrifting).toBe(false);
    expect(heapOf((index) => 30 + Math.min(index, 20))?.isDrifting).toBe(false);
  });
});
