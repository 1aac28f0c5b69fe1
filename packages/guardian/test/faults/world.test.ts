import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  createReceiptGate,
  createSupervisedAgent,
  type Guard,
  type GuardedCall,
} from '@buddy/guardian';
import {
  agentScript,
  createScriptedAgent,
  createStubbableGuard,
  diskFill,
  fakeOllama,
  fileCorrupt,
  fileTruncate,
  guardStub,
  openFaultKit,
  policyTamper,
  recoverFaults,
} from '@buddy/guardian/faults';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noTmpfs } from '../worlds/disk.ts';
import { until } from '../worlds/ground.ts';
import { openModelWorld } from '../worlds/model-server.ts';

const run = promisify(execFile);
const { signal } = new AbortController();
let place: string;
let path: string;
const CONTENT = '{ "allow": ["crm.read"], "deny": ["crm.drop"] }\n';
const open = () => openFaultKit({ folder: join(place, 'journal') });

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'guardian-world-faults-'));
  path = join(place, 'policy.json');
  await writeFile(path, CONTENT);
  await chmod(path, 0o640);
});

afterEach(async () => {
  await rm(place, { recursive: true });
});

describe('faults of files', () => {
  const cases = [
    ['fileCorrupt', (kit: ReturnType<typeof open>) => kit.inject(fileCorrupt, { path, bytes: 5 })],
    ['fileTruncate', (kit: ReturnType<typeof open>) => kit.inject(fileTruncate, { path })],
    [
      'policyTamper',
      (kit: ReturnType<typeof open>) =>
        kit.inject(policyTamper, { path, find: '"deny"', replace: '"was-deny"' }),
    ],
  ] as const;

  it.each(cases)(
    '%s changes a file where it stands, and takes that back',
    async (_kind, inject) => {
      await using kit = open();
      const before = await stat(path);
      const fault = await inject(kit);
      expect(await readFile(path, 'utf8')).not.toBe(CONTENT);
      expect((await stat(path)).ino).toBe(before.ino);
      await fault.revert();
      expect(await readFile(path, 'utf8')).toBe(CONTENT);
      expect((await stat(path)).mode).toBe(before.mode);
    },
  );

  it.each(cases)(
    '%s is gone when somebody healed it, and leaves that alone',
    async (_kind, inject) => {
      await using kit = open();
      const fault = await inject(kit);
      await rm(path);
      await writeFile(path, CONTENT);
      expect(await fault.isPresent()).toBe(false);
      const { ino } = await stat(path);
      await fault.revert();
      expect((await stat(path)).ino).toBe(ino);
    },
  );

  it('corrupts as many bytes as it is told to, and none beside', async () => {
    await using kit = open();
    await kit.inject(fileCorrupt, { path, bytes: 3, at: 10 });
    const now = await readFile(path);
    const others = [...Buffer.from(CONTENT)].flatMap((byte, index) =>
      now[index] === byte ? [] : [index],
    );
    expect(others).toEqual([10, 11, 12]);
  });

  it('has nothing to change in an empty file', async () => {
    await using kit = open();
    await writeFile(path, '');
    await expect(kit.inject(fileTruncate, { path })).rejects.toThrow('is empty');
  });

  it('is taken back from the journal alone, by its kind', async () => {
    const scratch = join(place, 'scratch');
    await mkdir(scratch);
    const opened = await fileTruncate.open(
      { path, keepBytes: 3 },
      { scratch, takeBytes: () => {} },
    );
    await opened.apply(signal);
    expect(await fileTruncate.remains(opened.note, signal)).toBe(true);
    await fileTruncate.recover(opened.note, signal);
    await fileTruncate.recover(opened.note, signal);
    expect(await fileTruncate.remains(opened.note, signal)).toBe(false);
    expect(await readFile(path, 'utf8')).toBe(CONTENT);
  });
});

describe('diskFill', () => {
  it('fills a folder up to its quota, and gives all of it back', async () => {
    await using kit = open();
    const folder = join(place, 'data');
    await mkdir(folder);
    const quotaBytes = 3_000_000;
    const fault = await kit.inject(diskFill, { folder, quotaBytes });
    const [name = ''] = await readdir(folder);
    expect((await stat(join(folder, name))).size).toBe(quotaBytes);
    await fault.revert();
    expect(await readdir(folder)).toEqual([]);
  });

  it('never fills a disk that others need', async () => {
    await using kit = open();
    await expect(kit.inject(diskFill, { folder: place })).rejects.toMatchObject({
      code: 'GUARDIAN_FAULT_CAP',
    });
    expect(await readdir(place)).toEqual(expect.arrayContaining(['policy.json']));
  });

  it.skipIf(noTmpfs !== undefined)(
    `fills a tmpfs until nothing can be written${noTmpfs === undefined ? '' : ` (skipped: ${noTmpfs})`}`,
    async () => {
      const folder = join(place, 'tmpfs');
      await mkdir(folder);
      await run('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder]);
      try {
        await using kit = open();
        const fault = await kit.inject(diskFill, { folder });
        await expect(writeFile(join(folder, 'x'), Buffer.alloc(65_536))).rejects.toThrow('ENOSPC');
        await rm(join(folder, 'x'), { force: true });
        await fault.revert();
        await writeFile(join(folder, 'x'), Buffer.alloc(65_536));
      } finally {
        await run('umount', [folder]);
      }
    },
  );

  it('is taken back from the journal alone', async () => {
    const folder = join(place, 'data');
    await mkdir(folder);
    const tools = { scratch: join(place, 'fault-1'), takeBytes: () => {} };
    const opened = await diskFill.open({ folder, quotaBytes: 200_000 }, tools);
    await opened.apply(signal);
    expect(await diskFill.remains(opened.note, signal)).toBe(true);
    await diskFill.recover(opened.note, signal);
    expect(await diskFill.remains(opened.note, signal)).toBe(false);
  });
});

describe('faults of a model server', () => {
  it('stand still, are slow, and forget a model, and all of that is taken back', async () => {
    const world = await openModelWorld('stuck');
    const target = await world.target();
    await using kit = open();
    const loaded = () => world.model.loaded(signal);

    const stuck = await kit.inject(fakeOllama.stuck, { ...target, silentMs: 150 });
    expect(await world.model.generateOneToken(signal)).toMatchObject({ status: 'FAILED' });
    expect(await loaded()).toEqual([target.model]);
    await stuck.revert();
    await until(async () => (await world.model.generateOneToken(signal)).status === 'HEALTHY');

    const slow = await kit.inject(fakeOllama.slow, { ...target, delayMs: 200 });
    await slow.revert();
    await until(async () => (await world.model.generateOneToken(signal)).status === 'HEALTHY');

    const unloaded = await kit.inject(fakeOllama.unloaded, target);
    expect(await loaded()).toEqual([]);
    await unloaded.revert();
    expect(await loaded()).toEqual([target.model]);
    await world.close();
  });

  it('kill it, which lasts: what is left to recover says so', async () => {
    const world = await openModelWorld('down');
    const kit = open();
    await kit.inject(fakeOllama.down, await world.target());
    expect(await world.model.probe(signal)).toMatchObject({ signal: 'model_server.down' });
    await kit.close();
    expect(fakeOllama.down.lasting).toContain('not revived');
    expect(await recoverFaults({ folder: join(place, 'journal') })).toEqual([]);
    await world.close();
  });

  it('never touch a server of somebody else', async () => {
    await using kit = open();
    const identity = { pid: process.pid, startTime: 'another' };
    const [url, model] = ['http://10.0.0.1:11434', 'tiny'];
    await expect(kit.inject(fakeOllama.unloaded, { url, identity, model })).rejects.toThrow(
      'Faults never touch others',
    );
    const here = 'http://127.0.0.1:9';
    await expect(kit.inject(fakeOllama.stuck, { url: here, identity, model })).rejects.toThrow(
      'is another by now',
    );
  });
});

describe('guardStub', () => {
  const denied: GuardedCall = { id: '1', tool: 'crm.drop', args: {} };
  const allowed: GuardedCall = { id: '2', tool: 'crm.read', args: {} };
  const openGate = () => {
    const real: Guard = {
      decide: async ({ tool }) => (tool === 'crm.read' ? 'allow' : 'deny'),
      policyDigest: () => 'pinned',
      reload: async () => undefined,
    };
    const guard = createStubbableGuard(real);
    const gate = createReceiptGate({
      guard,
      canaries: { deny: denied, allow: allowed },
      pinnedDigest: 'pinned',
      timeoutMs: 50,
    });
    return { guard, gate };
  };

  it.each([
    ['allowAll', 'guardrail.bypassed'],
    ['throw', 'guardrail.broken'],
    ['hang', 'guardrail.broken'],
  ] as const)(
    '%s is noticed by the canaries of a gate as %s, and taken back',
    async (mode, seen) => {
      await using kit = open();
      const { guard, gate } = openGate();
      const fault = await kit.inject(guardStub, { guard, mode, denied });
      expect(await gate.adapter.probe(signal)).toMatchObject({ signal: seen });
      await fault.revert();
      expect(await gate.adapter.probe(signal)).toEqual({ status: 'HEALTHY' });
    },
  );

  it.each(['throw', 'hang'] as const)('%s is a denial: the gate fails closed', async (mode) => {
    await using kit = open();
    const { guard, gate } = openGate();
    await kit.inject(guardStub, { guard, mode, denied });
    await expect(gate.admit(allowed)).rejects.toMatchObject({ code: 'GUARDIAN_GATE_DENIED' });
  });
});

describe('agentScript', () => {
  it.each([
    ['loop', 'agent.looping'],
    ['silent', 'agent.silent'],
  ] as const)('%s is noticed as %s, and taken back', async (mode, seen) => {
    await using kit = open();
    const agent = createScriptedAgent();
    const supervised = createSupervisedAgent({ silentMs: 60, repeats: 3 }, { program: agent });
    const { adapter } = supervised;
    await supervised.start();
    await until(async () => agent.step > 1);
    const fault = await kit.inject(agentScript, { agent, mode });
    await until(async () => (await adapter.probe(signal)).status === 'FAILED');
    expect(await adapter.probe(signal)).toMatchObject({ signal: seen });
    await fault.revert();
    await until(async () => (await adapter.probe(signal)).status === 'HEALTHY');
    await adapter.end(signal);
  });
});
