import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSandbox, type Sandbox } from '@buddy/sandbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChildProgram } from '../src/host/child-program.ts';
import { systemSpawn } from '../src/host/launch.ts';
import { ChildPool } from '../src/host/pool.ts';
import { startupSnapshot, type StartupSnapshot } from '../src/host/startup-snapshot.ts';
import { SandboxLimits } from '../src/options.ts';

let root: string;
let program: string;
beforeAll(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'snapshots-')));
  program = await findChildProgram();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('the start-up snapshot', () => {
  it('is kept where no other user can read or write', async () => {
    const snapshot = startupSnapshot({ program, hardened: false, folder: join(root, 'private') });
    await snapshot.whenSettled();
    expect(snapshot.path).toBe(snapshot.details);
    expect(statSync(join(root, 'private')).mode & 0o777).toBe(0o700);
    expect(statSync(String(snapshot.path)).mode & 0o777).toBe(0o600);
  });

  it('is another one for another program and for other flags', () => {
    const other = join(root, 'other.cjs');
    writeFileSync(other, '// another program');
    const folder = join(root, 'others');
    const paths = [
      startupSnapshot({ program, hardened: false, folder }),
      startupSnapshot({ program, hardened: true, folder }),
      startupSnapshot({ program: other, hardened: false, folder }),
    ];
    expect(new Set(paths).size).toBe(3);
    expect(startupSnapshot({ program, hardened: false, folder })).toBe(paths[0]);
  });

  it('is not looked for in a folder that is open to others', async () => {
    const folder = join(root, 'open');
    mkdirSync(folder);
    chmodSync(folder, 0o777);
    const snapshot = startupSnapshot({ program, hardened: false, folder });
    await snapshot.whenSettled();
    expect(snapshot.path).toBeUndefined();
    expect(snapshot.details).toContain('open to other users');
  });

  it('says why there is none when the program cannot be run', async () => {
    const broken = join(root, 'broken.cjs');
    writeFileSync(broken, 'throw new Error("no such luck")');
    const folder = join(root, 'none');
    const snapshot = startupSnapshot({ program: broken, hardened: false, folder });
    await snapshot.whenSettled();
    expect(snapshot.path).toBeUndefined();
    expect(snapshot.details).toContain('no such luck');
  });

  it('is given up, and children start without, when none starts from it', async () => {
    const snapshot = startupSnapshot({ program, hardened: false, folder: join(root, 'damaged') });
    await snapshot.whenSettled();
    writeFileSync(String(snapshot.path), 'not a snapshot');
    const pool = poolWith(snapshot);
    const child = await pool.take();
    expect(child.end).toBeUndefined();
    expect(snapshot.path).toBeUndefined();
    expect(snapshot.details).toContain('did not start from it');
    child.kill();
    pool.close();
  });

  it('does not keep a sandbox from being told to do without', async () => {
    await using sandbox = await createSandbox({ startupSnapshot: 'off' });
    expect(await sandbox.run('1 + 1')).toMatchObject({ status: 'ok', value: 2 });
    expect(sandbox.report()).toMatchObject({
      startupSnapshot: { isActive: false, details: 'switched off' },
    });
    expect(sandbox.report().flags.join(' ')).not.toContain('snapshot');
  });
});

describe.each([false, true])('a child from a snapshot, hardened: %s', (hardened) => {
  it('is held by every layer, as the doctor tries them', async () => {
    await using sandbox = await createSandbox({
      hardened,
      limits: { wallMs: 1_500, memoryMb: 64 },
    });
    await snapshotOf(sandbox);
    const { checks } = await sandbox.doctor();
    const isOffline = sandbox.report().network !== 'capability-only';
    expect(checks.filter(({ isHeld }) => !isHeld).map(({ name }) => name)).toEqual(
      isOffline ? [] : ['connect to the network'],
    );
  });

  it('is the same to a program as one without', async () => {
    await using from = await createSandbox({ hardened });
    await using without = await createSandbox({ hardened, startupSnapshot: 'off' });
    await snapshotOf(from);
    const options = { seed: 7, now: 1_000_000, input: { a: [1, 2] } };
    const [one, other] = await Promise.all(
      [from, without].map((sandbox) => sandbox.run(SELF_PORTRAIT, options)),
    );
    expect(one).toMatchObject({ status: 'ok' });
    expect(one?.toModelText()).toBe(other?.toModelText());
  });
});

/** What a program can find out of where it is. */
const SELF_PORTRAIT = `
import { sqrt } from 'math';
const shapes = [Object, Array, Date, Math, Intl, RegExp, Error, Promise, JSON].map((it) => [
  Object.isFrozen(it), Reflect.ownKeys(it).map(String).sort(), typeof it.prototype,
]);
const errors = [];
for (const attempt of [() => { Object.prototype.x = 1 }, () => new Function('return process')(), () => null.x]) {
  try { attempt(); errors.push('none'); } catch (error) { errors.push(error.name + error.message); }
}
({
  globals: Reflect.ownKeys(globalThis).map(String).sort(), shapes, errors, root: sqrt(16), random: Math.random(),
  date: new Date().toISOString(), zone: new Date(0).getTimezoneOffset(), german: (1234.5).toLocaleString('de'),
  proto: '__proto__' in {}, input,
})`;

async function snapshotOf(sandbox: Sandbox): Promise<void> {
  await expect
    .poll(() => sandbox.report().startupSnapshot, { timeout: 20_000 })
    .toMatchObject({ isActive: true });
  expect(existsSync(sandbox.report().startupSnapshot.details)).toBe(true);
  // The children that were started before do not count.
  for (let run = 0; run < 3; run += 1) await sandbox.run('1');
}

function poolWith(snapshot: StartupSnapshot): ChildPool {
  return new ChildPool({
    spawn: systemSpawn,
    size: 1,
    plan: { program, memoryMb: 64, cpuSeconds: 10, hardened: false, inNamespace: false },
    snapshot,
    setup: { type: 'setup', toolNames: [], modules: {}, limits: SandboxLimits.parse({}) },
    maxFrameBytes: 1_000_000,
  });
}
