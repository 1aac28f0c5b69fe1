import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ManualClock } from '@buddy/core';
import {
  AVAILABLE,
  capabilities,
  defineFault,
  fileRemove,
  LoopbackHost,
  openFaultKit,
  recoverFaults,
  type FaultKitInput,
  type FaultKitPorts,
} from '@buddy/guardian/faults';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';

let place: string;
let folder: string;
let path: string;

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'guardian-faults-'));
  folder = join(place, 'journal');
  path = join(place, 'config.json');
  await writeFile(path, '{"port":1}');
});

afterEach(async () => {
  await rm(place, { recursive: true });
});

const open = (input: Partial<FaultKitInput> = {}, ports: FaultKitPorts = {}) =>
  openFaultKit({ folder, seenWithinMs: 50, ...input }, ports);
const openIn = (environment: NodeJS.ProcessEnv) => () => open({}, { environment });
const journaled = async () =>
  existsSync(folder) ? (await readdir(folder)).filter((name) => name.endsWith('.json')) : [];

const isBack = async () => {
  await vi.waitFor(() => expect(existsSync(path)).toBe(true), { timeout: 15_000, interval: 20 });
  await vi.waitFor(async () => expect(await journaled()).toEqual([]), { timeout: 15_000 });
  expect(await readFile(path, 'utf8')).toBe('{"port":1}');
};

const program = new URL('../children/fault-injector.ts', import.meta.url).pathname;

async function startInjector(how: 'endlessly' | 'once' | 'watched' | 'blocked') {
  const child = spawn(
    process.execPath,
    ['--conditions=@buddy/source', program, folder, path, how],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'], BUDDY_FAULTS: '1' },
    },
  );
  const exited = once(child, 'exit');
  await once(child.stdout, 'data');
  return { child, exited };
}

async function killInjector(
  afterMs: number | 'injected',
  whileItLives = async () => {},
): Promise<void> {
  const { child, exited } = await startInjector(afterMs === 'injected' ? 'once' : 'endlessly');
  if (afterMs === 'injected') await whileItLives();
  else await sleep(afterMs);
  child.kill('SIGKILL');
  await exited;
}

/** A fault that only says that it is there, and can be told to misbehave. */
function flagFault({ shows = true, goes = true, remains = false, bytes = 0, hangs = false } = {}) {
  const told: string[] = [];
  let [isThere, isStuck] = [false, !goes];
  let applying = Promise.withResolvers<void>();
  const fault = defineFault({
    kind: 'flag',
    description: 'A flag is set.',
    options: z.strictObject({ host: LoopbackHost.default('127.0.0.1') }),
    note: z.strictObject({ flag: z.string() }),
    caps: { seconds: 10, bytes: 100 },
    capability: () => AVAILABLE,
    open: async (_options, { takeBytes }) => ({
      note: { flag: 'up' },
      handle: { told },
      isPresent: async () => isThere,
      apply: async (signal) => {
        told.push(`applied with ${(await journaled()).length} in the journal`);
        takeBytes(bytes);
        applying.resolve();
        if (hangs) await sleep(60_000, undefined, { signal });
        isThere = shows;
      },
      revert: async () => {
        told.push('reverted');
        isThere = isStuck;
      },
    }),
    recover: async ({ flag }) => void told.push(`recovered ${flag}`),
    remains: async () => remains,
  });
  return {
    fault,
    told,
    put: () => (isThere = true),
    mend: () => (isStuck = false),
    /** Resolves when the next one is being applied. */
    applying: async () => {
      await applying.promise;
      applying = Promise.withResolvers<void>();
    },
  };
}

describe('a fault kit', () => {
  it('puts a fault there, and takes it away at the end of its scope', async () => {
    await using kit = open();
    {
      await using fault = await kit.inject(fileRemove, { path });
      expect(existsSync(path)).toBe(false);
      expect(await fault.isPresent()).toBe(true);
      expect(kit.faults).toHaveLength(1);
    }
    expect(await readFile(path, 'utf8')).toBe('{"port":1}');
    expect(kit.faults).toEqual([]);
    expect(await readdir(place)).toEqual(expect.arrayContaining(['config.json', 'journal']));
    expect(await journaled()).toEqual([]);
  });

  it('has the fault in its journal before it is there, and no more when it is gone', async () => {
    await using kit = open();
    const { fault, told } = flagFault();
    const injected = await kit.inject(fault, {});
    expect(injected.handle.told).toEqual(['applied with 1 in the journal']);
    expect(await journaled()).toHaveLength(1);
    await injected.revert();
    await injected.revert();
    expect(told).toEqual(['applied with 1 in the journal', 'reverted']);
    expect(await journaled()).toEqual([]);
  });

  it('takes back all that is left when it is closed, the last first', async () => {
    const kit = open();
    const other = join(place, 'other.json');
    await writeFile(other, '2');
    await kit.inject(fileRemove, { path });
    await kit.inject(fileRemove, { path: other });
    await kit.close();
    expect(existsSync(path) && existsSync(other)).toBe(true);
    expect(await readdir(folder)).toEqual([]);
    await expect(kit.inject(fileRemove, { path })).rejects.toThrow('closed');
  });

  it('refuses a fault that is there before it is injected', async () => {
    await using kit = open();
    const { fault, put, told } = flagFault();
    put();
    await expect(kit.inject(fault, {})).rejects.toMatchObject({ code: 'GUARDIAN_FAULT_WITNESS' });
    expect(told).toEqual([]);
    expect(await journaled()).toEqual([]);
  });

  it('takes back what does not show, and says so', async () => {
    await using kit = open();
    const { fault, told } = flagFault({ shows: false });
    await expect(kit.inject(fault, {})).rejects.toThrow('does not show');
    expect(told.at(-1)).toBe('reverted');
    expect(await journaled()).toEqual([]);
  });

  it('keeps in the journal what does not go, and says so', async () => {
    const kit = open();
    const { fault, mend } = flagFault({ goes: false });
    const injected = await kit.inject(fault, {});
    await expect(injected.revert()).rejects.toMatchObject({ code: 'GUARDIAN_FAULT_LEFT_BEHIND' });
    expect(injected.state).toBe('present');
    expect(await journaled()).toHaveLength(1);
    mend();
    await kit.close();
    expect(await journaled()).toEqual([]);
  });

  it('takes a fault back by itself when its time is over', async () => {
    const clock = new ManualClock();
    await using kit = open({}, { clock });
    const fault = await kit.inject(fileRemove, { path }, { seconds: 5 });
    await clock.advance(4_999);
    expect(fault.state).toBe('present');
    expect(existsSync(path)).toBe(false);
    await clock.advance(1);
    await vi.waitFor(() => expect(fault.state).toBe('expired'), { timeout: 15_000 });
    expect(existsSync(path)).toBe(true);
    expect(await journaled()).toEqual([]);
  });

  it('warns when a fault does not go at the end of its time, and takes it back when it can', async () => {
    const clock = new ManualClock();
    const warned = once(process, 'warning');
    const kit = open({}, { clock });
    const { fault, mend } = flagFault({ goes: false });
    const injected = await kit.inject(fault, {}, { seconds: 5 });
    await clock.advance(5_000);
    const lookOn = setInterval(() => void clock.advance(10), 1); // the witness waits for it to go
    const [warning] = await warned;
    clearInterval(lookOn);
    expect(String(warning)).toContain('could not be taken back');
    expect(injected.state).toBe('present');
    mend();
    await injected.revert();
    expect(injected.state).toBe('reverted');
  });

  it('tries again by itself when a fault does not go at the end of its time', async () => {
    const clock = new ManualClock();
    await using kit = open({}, { clock });
    const { fault, mend } = flagFault({ goes: false });
    const injected = await kit.inject(fault, {}, { seconds: 5 });
    const warned = once(process, 'warning');
    const goOn = setInterval(() => void clock.advance(20), 1);
    await warned;
    mend();
    await vi.waitFor(() => expect(injected.state).toBe('expired'), { timeout: 15_000 });
    clearInterval(goOn);
  });

  it('leaves to recovery what it could not take back when it was closed', async () => {
    const kit = open();
    const { fault, told } = flagFault({ goes: false });
    await kit.inject(fault, {});
    expect(await recoverFaults({ folder }, { faults: [fault] })).toMatchObject([{ is: 'active' }]);
    await expect(kit.close()).rejects.toMatchObject({ code: 'GUARDIAN_FAULT_LEFT_BEHIND' });
    expect(await recoverFaults({ folder }, { faults: [fault] })).toMatchObject([
      { is: 'reverted' },
    ]);
    expect(told.at(-1)).toBe('recovered up');
    expect(await readdir(folder)).toEqual([]);
  });

  it('does not pretend that it can take away what lasts', async () => {
    const { fault, put } = flagFault({ goes: false });
    const lasting: typeof fault = { ...fault, lasting: 'a flag that was torn stays torn' };
    const kit = open();
    const injected = await kit.inject(lasting, {});
    await injected.revert();
    expect(injected.state).toBe('reverted');
    expect(await injected.isPresent()).toBe(true);
    put();
    const { child, exited } = await startInjector('once');
    child.kill('SIGKILL');
    await exited;
    const known = [{ ...fileRemove, lasting: 'only for this test' }];
    expect(await recoverFaults({ folder }, { faults: known })).toMatchObject([
      { kind: 'fileRemove', is: 'lasting', reason: 'only for this test' },
    ]);
    expect(await journaled()).toEqual([]);
  });

  it('takes back what was under way when it is aborted, takes too long, or the kit is closed', async () => {
    const clock = new ManualClock();
    const kit = open({}, { clock });
    const abort = new AbortController();
    const { fault, told, applying } = flagFault({ hangs: true });
    const aborted = kit.inject(fault, {}, { signal: abort.signal });
    await applying();
    abort.abort(new Error('nobody waits'));
    await expect(aborted).rejects.toThrow('nobody waits');
    expect(told.splice(0)).toEqual(['applied with 1 in the journal', 'reverted']);

    const tooLong = kit.inject(fault, {});
    await applying();
    await Promise.all([
      expect(tooLong).rejects.toMatchObject({ code: 'GUARDIAN_STEP_TIMEOUT' }),
      clock.advance(30_000),
    ]);
    expect(told.splice(0)).toEqual(['applied with 1 in the journal', 'reverted']);

    const underWay = kit.inject(fault, {}, { signal: AbortSignal.timeout(20) });
    await applying();
    await Promise.all([expect(underWay).rejects.toThrow('timeout'), kit.close()]);
    expect(told).toEqual(['applied with 1 in the journal', 'reverted']);
    expect(await readdir(folder)).toEqual([]);
  });

  it('lets no fault stay longer, or take more, than its cap and that of the kit', async () => {
    const clock = new ManualClock();
    await using kit = open({ maxSeconds: 3, maxBytes: 50 }, { clock });
    const { fault, told } = flagFault({ bytes: 51 });
    await expect(kit.inject(fault, {}, { seconds: 4 })).rejects.toMatchObject({
      code: 'GUARDIAN_FAULT_CAP',
    });
    expect(told).toEqual([]);
    await expect(kit.inject(fault, {})).rejects.toThrow('50 bytes at most');
    expect(told).toEqual(['applied with 1 in the journal', 'reverted']);
    const kept = await kit.inject(flagFault({ bytes: 50 }).fault, {});
    expect(kept.expiresAt).toBe(clock.now() + 3_000);
  });

  it('never leaves this machine', async () => {
    await using kit = open();
    const { fault } = flagFault();
    for (const host of ['192.0.2.1', 'example.com', '::2', '128.0.0.1']) {
      await expect(kit.inject(fault, { host })).rejects.toThrow('this machine');
    }
    for (const host of ['127.0.0.2', '::1', 'localhost']) {
      await using injected = await kit.inject(fault, { host });
      expect(injected.state).toBe('present');
    }
  });

  it('is refused unless it is asked for, or a test runs', () => {
    expect(openIn({})).toThrow('set BUDDY_FAULTS=1');
    expect(openIn({ NODE_ENV: 'test' })).toThrow('set BUDDY_FAULTS=1');
    expect(openIn({ VITEST: 'true', BUDDY_FAULTS: '0' })).toThrow('BUDDY_FAULTS=0');
    for (const environment of [{ BUDDY_FAULTS: '1' }, { VITEST: 'true' }, { JEST_WORKER_ID: '1' }])
      expect(openIn(environment)).not.toThrow();
  });

  it('says what this machine cannot have, and why, and does not try', async () => {
    await using kit = open();
    const fault = defineFault({
      kind: 'impossible',
      description: 'Never there.',
      options: z.strictObject({}),
      note: z.null(),
      caps: { seconds: 1, bytes: 0 },
      capability: ({ platform }) => ({ is: 'unavailable', reason: `${platform} lacks it` }),
      open: async () => {
        throw new Error('it was opened');
      },
      recover: async () => undefined,
    });
    const reason = `${process.platform} lacks it`;
    expect(await capabilities([fileRemove, fault])).toEqual({
      fileRemove: { is: 'available' },
      impossible: { is: 'unavailable', reason },
    });
    await expect(kit.inject(fault, {})).rejects.toThrow(reason);
  });

  it('hands a rehearsal a fault that can be put there again after it was healed', async () => {
    const { signal } = new AbortController();
    await using kit = open();
    const fault = kit.rehearsed(fileRemove, () => ({ path }));
    expect(await fault.isPresent(signal)).toBe(false);
    for (let times = 0; times < 2; times += 1) {
      await fault.apply(signal);
      expect(await fault.isPresent(signal)).toBe(true);
      await writeFile(path, 'healed');
      expect(await fault.isPresent(signal)).toBe(false);
    }
    await fault.revert();
    await fault.revert();
    expect(await readFile(path, 'utf8')).toBe('{"port":1}');
    expect(await journaled()).toEqual([]);
  });
});

describe('recovering from faults', () => {
  it('leaves alone what a living process injected, and takes back what a killed one left', async () => {
    const seen: unknown[] = [];
    await killInjector(
      'injected',
      async () => void seen.push(...(await recoverFaults({ folder }))),
    );
    expect(seen).toMatchObject([{ kind: 'fileRemove', is: 'active' }]);
    expect(existsSync(path)).toBe(false);
    const recovered = await recoverFaults({ folder });
    expect(recovered).toMatchObject([{ kind: 'fileRemove', is: 'reverted' }]);
    expect(await readFile(path, 'utf8')).toBe('{"port":1}');
    expect(await readdir(folder)).toEqual([]);
    expect(await recoverFaults({ folder })).toEqual([]);
  });

  it('leaves nothing behind, at whatever moment the process is killed', async () => {
    const kills = Number(process.env['BUDDY_KILLS'] ?? 4);
    for (let kill = 0; kill < kills; kill += 1) {
      await killInjector(Math.random() * 30);
      await recoverFaults({ folder });
      expect(await readFile(path, 'utf8')).toBe('{"port":1}');
      expect(await journaled()).toEqual([]);
      expect((await readdir(place)).toSorted()).toEqual(['config.json', 'journal']);
    }
  });

  it('sweeps up what a process left that was killed before its record was there', async () => {
    await using kit = open();
    await kit.inject(fileRemove, { path });
    const old = new Date('2026-01-01');
    for (const name of ['fault-x.lock', '.fault-x.fault.json.tmp', 'fault-new.lock']) {
      await writeFile(join(folder, name), '');
      if (name !== 'fault-new.lock') await utimes(join(folder, name), old, old);
    }
    await recoverFaults({ folder });
    const left = await readdir(folder);
    expect(left.filter((name) => /fault-x|fault-new/.test(name))).toEqual(['fault-new.lock']);
    expect(await journaled()).toHaveLength(1);
  });

  it('is done by a watchdog when the process is killed', async () => {
    const { child, exited } = await startInjector('watched');
    expect(existsSync(path)).toBe(false);
    child.kill('SIGKILL');
    await exited;
    await isBack();
  });

  it('is done by a watchdog when the process stands still beyond the time', async () => {
    const { child, exited } = await startInjector('blocked');
    expect(existsSync(path)).toBe(false);
    await isBack();
    expect(child.exitCode).toBe(null);
    child.kill('SIGKILL');
    await exited;
  });

  it('takes two recoveries at once', async () => {
    await killInjector('injected');
    const both = await Promise.all([recoverFaults({ folder }), recoverFaults({ folder })]);
    expect(both.flat().filter(({ is }) => is === 'reverted')).toHaveLength(1);
    expect(await readFile(path, 'utf8')).toBe('{"port":1}');
  });

  it('tells what it does not know or cannot read, and keeps it', async () => {
    await killInjector('injected');
    await writeFile(join(folder, 'torn.fault.json'), '{"format":1,');
    const recovered = await recoverFaults({ folder }, { faults: [flagFault().fault] });
    expect(recovered).toMatchObject([
      { id: 'torn', kind: undefined, is: 'failed', reason: expect.stringContaining('JSON') },
      { kind: 'fileRemove', is: 'failed', reason: expect.stringContaining('No fault of kind') },
    ]);
    expect(await journaled()).toHaveLength(2);
    expect(await recoverFaults({ folder })).toMatchObject([{ is: 'failed' }, { is: 'reverted' }]);
  });

  it('does not say that something is gone that is still there', async () => {
    await killInjector('injected');
    const [name = ''] = await journaled();
    const text = await readFile(join(folder, name), 'utf8');
    const record: unknown = JSON.parse(text);
    await writeFile(
      join(folder, name),
      JSON.stringify({ ...Object(record), kind: 'flag', note: { flag: 'up' } }),
    );
    const { fault, told } = flagFault({ remains: true });
    const recovered = await recoverFaults({ folder }, { faults: [fault] });
    expect(recovered).toMatchObject([{ kind: 'flag', is: 'failed' }]);
    expect(told).toEqual(['recovered up']);
    expect(await journaled()).toHaveLength(1);
  });
});
