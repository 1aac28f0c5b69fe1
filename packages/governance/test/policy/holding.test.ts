import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@buddy/core';
import {
  createPolicyHolder,
  followPolicyFile,
  NO_POLICY_DIGEST,
  type PolicyChange,
  type PolicyHolder,
} from '@buddy/governance';
import { describe, expect, it } from 'vitest';
import { ask } from './asking.ts';

const textFor = (action: string) =>
  `version: 1\nrules:\n  - { id: a, when: { action: ${action} }, allow: true }\n`;
const ADA = { id: 'ada', role: 'admin' } as const;
const ADA_ACTS = { kind: 'human', id: 'ada' } as const;
const source = 'p.yaml';

function recording() {
  const changes: PolicyChange[] = [];
  const holder = createPolicyHolder({
    record: (change) => void changes.push(change),
    clock: new ManualClock(),
  });
  return { changes, holder };
}

describe('a policy holder', () => {
  it('blocks everything until a policy is loaded', async () => {
    const { holder } = recording();
    expect(holder.current.digest).toBe(NO_POLICY_DIGEST);
    expect(ask(holder.current, 'x')).toMatchObject({ outcome: 'deny', reasonCode: 'NO_POLICY' });
    await holder.load('nonsense: [', { source });
    expect(ask(holder.current, 'x')).toMatchObject({ outcome: 'deny', reasonCode: 'NO_POLICY' });
  });

  it('keeps the last good policy when a bad one comes, and records both', async () => {
    const { holder, changes } = recording();
    const told: unknown[] = [];
    holder.events.on('rejected', ({ problems }) => told.push(problems[0]?.code));
    await holder.load(textFor('x'), { source, by: ADA });
    const good = holder.current;
    expect(await holder.load(textFor('x').replace('allow', 'alow'), { source })).toMatchObject({
      ok: false,
    });
    expect(holder.current).toBe(good);
    expect(changes).toEqual([
      { event: 'loaded', policyDigest: good.digest, by: ADA_ACTS, reasonCode: null },
      {
        event: 'rejected',
        policyDigest: null,
        by: { kind: 'system', id: 'policy' },
        reasonCode: 'UNKNOWN_KEY',
      },
    ]);
    expect(told).toEqual(['UNKNOWN_KEY']);
  });

  it('changes nothing that cannot be recorded', async () => {
    let isLogWritable = true;
    const record = () => {
      if (!isLogWritable) throw new Error('disk full');
    };
    const holder = createPolicyHolder({ record });
    await holder.load(textFor('x'), { source });
    const good = holder.current;
    isLogWritable = false;
    const untold: unknown[] = [];
    holder.events.on('unrecorded', ({ change }) => untold.push(change.event));
    await expect(holder.load(textFor('y'), { source })).rejects.toThrow('disk full');
    await expect(holder.load('', { source })).rejects.toThrow('disk full');
    expect(holder.current).toBe(good);
    expect(untold).toEqual(['loaded', 'rejected']);
    isLogWritable = true;
    await holder.load(textFor('y'), { source });
    expect(ask(holder.current, 'y').outcome).toBe('allow');
  });

  it('goes back to a policy that was in force, and to no other', async () => {
    const { holder, changes } = recording();
    await holder.load(textFor('x'), { source });
    const [first] = holder.history;
    await holder.load(textFor('y'), { source });
    await holder.rollBack(first?.digest ?? '', ADA);
    expect(holder.current).toBe(first);
    expect(changes.at(-1)).toEqual({
      event: 'rolled_back',
      policyDigest: first?.digest,
      by: ADA_ACTS,
      reasonCode: null,
    });
    await expect(holder.rollBack('f'.repeat(64), ADA)).rejects.toMatchObject({
      code: 'GOVERNANCE_UNKNOWN_POLICY',
    });
  });

  it('leaves a policy that somebody keeps as it was', async () => {
    const { holder } = recording();
    await holder.load(textFor('x'), { source });
    const ofRun = holder.current;
    await holder.load(textFor('y'), { source });
    expect(ask(ofRun, 'x').outcome).toBe('allow');
    expect(ask(holder.current, 'x').outcome).toBe('deny');
  });

  it('makes changes one by one, and none for the policy that is in force', async () => {
    const order: string[] = [];
    const holder = createPolicyHolder({
      record: async ({ policyDigest }, policy) => {
        order.push(`begin ${policyDigest?.slice(0, 4)}`);
        await Promise.resolve();
        order.push(`end ${policy?.digest.slice(0, 4)}`);
      },
    });
    await Promise.all(['x', 'y', 'y'].map((action) => holder.load(textFor(action), { source })));
    const [x, y] = holder.history.map(({ digest }) => digest.slice(0, 4));
    expect(order).toEqual([`begin ${x}`, `end ${x}`, `begin ${y}`, `end ${y}`]);
  });

  it('is not broken by a listener that throws', async () => {
    const { holder } = recording();
    holder.events.on('loaded', () => {
      throw new Error('listener');
    });
    await holder.load(textFor('x'), { source });
    expect(ask(holder.current, 'x').outcome).toBe('allow');
  });
});

/** A file that a test writes, and a watch that it rings. */
function fakeFile(text: string | Error) {
  const file = { text, change: () => {}, isWatched: true };
  const ports = {
    clock: new ManualClock(),
    readFile: async () => {
      if (typeof file.text === 'string') return file.text;
      throw file.text;
    },
    watchFile: (_path: string, onChange: () => void) => {
      file.change = onChange;
      return () => (file.isWatched = false);
    },
  };
  return { file, ports };
}

const allowed = (holder: PolicyHolder) =>
  ['x', 'y', 'z'].filter((action) => ask(holder.current, action).outcome === 'allow');

describe('a followed file', () => {
  it('is loaded at once, and again when it was left alone for a while', async () => {
    const { holder } = recording();
    const { file, ports } = fakeFile(textFor('x'));
    const followed = await followPolicyFile(holder, { path: source, quietMs: 200 }, ports);
    expect(allowed(holder)).toEqual(['x']);
    file.text = textFor('y');
    file.change();
    await ports.clock.advance(150);
    file.text = textFor('z');
    file.change();
    await ports.clock.advance(150);
    expect(allowed(holder)).toEqual(['x']);
    await ports.clock.advance(50);
    expect(allowed(holder)).toEqual(['z']);
    expect(holder.history).toHaveLength(2);
    await followed.stop();
  });

  it('leaves the policy in force when it is gone, and says so', async () => {
    const { holder, changes } = recording();
    const { file, ports } = fakeFile(textFor('x'));
    await using followed = await followPolicyFile(holder, { path: source }, ports);
    file.text = new Error('no such file');
    await followed.reload();
    expect(allowed(holder)).toEqual(['x']);
    expect(changes.at(-1)).toMatchObject({ event: 'rejected', reasonCode: 'FILE_UNREADABLE' });
  });

  it('that is not there at first blocks everything until it is', async () => {
    const { holder } = recording();
    const { file, ports } = fakeFile(new Error('no such file'));
    await using followed = await followPolicyFile(holder, { path: source }, ports);
    expect(allowed(holder)).toEqual([]);
    file.text = textFor('x');
    await followed.reload();
    expect(allowed(holder)).toEqual(['x']);
  });

  it('is not read any more once it is not followed', async () => {
    const { holder } = recording();
    const { file, ports } = fakeFile(textFor('x'));
    const followed = await followPolicyFile(holder, { path: source }, ports);
    file.text = textFor('y');
    file.change();
    await followed.stop();
    await ports.clock.advance(1_000);
    expect(allowed(holder)).toEqual(['x']);
    expect(file.isWatched).toBe(false);
  });

  it('is read and watched on the disk, also when it is replaced', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'buddy-policy-'));
    try {
      const path = join(folder, 'policy.yaml');
      await writeFile(path, textFor('x'));
      const { holder } = recording();
      const followed = await followPolicyFile(holder, { path, quietMs: 5 });
      const changed = new Promise((resolve) => holder.events.once('loaded', resolve));
      await writeFile(join(folder, 'new'), textFor('y'));
      await rename(join(folder, 'new'), path);
      await changed;
      expect(allowed(holder)).toEqual(['y']);
      await followed.stop();
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it.each([
    ['of bytes that are no text', Buffer.from([0x76, 0xff, 0xfe])],
    ['that is too long', Buffer.alloc(3_000_000, '#')],
  ])('%s is refused', async (_what, bytes) => {
    const folder = await mkdtemp(join(tmpdir(), 'buddy-policy-'));
    try {
      await writeFile(join(folder, 'policy.yaml'), bytes);
      const { holder, changes } = recording();
      const followed = await followPolicyFile(holder, { path: join(folder, 'policy.yaml') });
      await followed.stop();
      expect(changes).toMatchObject([{ event: 'rejected' }]);
      expect(allowed(holder)).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
