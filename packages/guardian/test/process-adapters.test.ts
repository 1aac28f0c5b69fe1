import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createProcessService,
  createProcessVitals,
  createServiceLaunch,
  type Reading,
  type ServiceLaunchInput,
} from '@buddy/guardian';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
// How many processes there are of a service is no business of its users.
import { findByEnvironment } from '../src/adapters/process/proc.ts';
import { MARK, markOf } from '../src/adapters/process/process-mark.ts';
import { makeServiceWorld, type ServiceWorld, until } from './worlds/service-world.ts';
import { watchWith } from './worlds/watched-guardian.ts';

const { signal } = new AbortController();
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp-adapters-'));
});
afterEach(() => rm(folder, { recursive: true }));

const launchOf = (input: Partial<ServiceLaunchInput> = {}) =>
  createServiceLaunch({ service: 'api', stateFolder: folder, ...input });
const base = { command: 'node', args: ['api.js'], cwd: undefined, env: { A: '1' } };

describe('how a service is launched', () => {
  it('is the command as it is, where nothing is said', () => {
    expect(launchOf().commandOf(base)).toEqual(base);
    expect(launchOf().settings()).toEqual({
      release: 'only',
      mode: 'normal',
      memoryMb: null,
      openFiles: null,
      port: null,
    });
  });

  it('is put together from release, mode, limits and port', async () => {
    const launch = launchOf({
      releases: [{ id: 'v1' }, { id: 'v2', args: ['v2.js'], env: { CONFIG: 'v2.json' } }],
      safeMode: { args: ['--safe'], env: { SAFE: '1' } },
      memory: { limitMb: 64, capMb: 128 },
      openFiles: { limit: 100, cap: 200 },
      ports: [8080, 8081],
    });
    await launch.useMode('safe', signal);
    expect(launch.commandOf(base)).toEqual({
      command: 'sh',
      args: ['-c', 'ulimit -n "$0" && exec "$@"', '100', 'node', 'v2.js', '--safe'],
      cwd: undefined,
      env: {
        A: '1',
        CONFIG: 'v2.json',
        SAFE: '1',
        PORT: '8080',
        NODE_OPTIONS: '--max-old-space-size=64',
      },
    });
  });

  it('is known to a guardian that starts anew', async () => {
    const input = {
      releases: [{ id: 'v1' }, { id: 'v2' }],
      memory: { limitMb: 64, capMb: 128 },
      ports: [1, 2],
    };
    const launch = launchOf(input);
    await Promise.all([
      launch.useRelease('v1', signal),
      launch.limitMemory(100, signal),
      launch.usePort(2, signal),
    ]);
    expect(launchOf(input).settings()).toEqual(launch.settings());
    expect(launch.settings()).toMatchObject({ release: 'v1', memoryMb: 100, port: 2 });
  });

  it('goes on to a release that is newer than the one that was left', async () => {
    const releases = [{ id: 'v1' }, { id: 'v2' }];
    await launchOf({ releases }).useRelease('v1', signal);
    expect(launchOf({ releases }).settings().release).toBe('v1');
    expect(launchOf({ releases: [...releases, { id: 'v3' }] }).settings().release).toBe('v3');
  });

  it('knows the newest release before this one that was well for its time', async () => {
    const releases = [{ id: 'v1' }, { id: 'v2' }, { id: 'v3' }];
    const launch = launchOf({ releases, provenAfterMs: 1_000 });
    await launch.noteWell('v1', 1_000);
    await launch.noteWell('v2', 999);
    expect(launch.lastKnownGood()).toBe('v1');
    await launch.noteWell('v2', 1_000);
    expect(launchOf({ releases }).lastKnownGood()).toBe('v2');
    await launch.useRelease('v1', signal);
    expect(launch.lastKnownGood()).toBeUndefined();
  });

  it.each<[string, Partial<ServiceLaunchInput>]>([
    ['above memory.capMb', { memory: { limitMb: 2, capMb: 1 } }],
    ['above openFiles.cap', { openFiles: { limit: 2, cap: 1 } }],
    ['two releases have one id', { releases: [{ id: 'v1' }, { id: 'v1' }] }],
  ])('cannot be %s', (problem, input) => {
    expect(() => launchOf(input)).toThrow(problem);
  });

  it('says what it cannot do', async () => {
    const launch = launchOf({ openFiles: { limit: 10, cap: 20 } });
    await expect(launch.useRelease('v9', signal)).rejects.toThrow('no release "v9"');
    await expect(launch.useMode('safe', signal)).rejects.toThrow('no safe mode');
    await expect(launch.usePort(80, signal)).rejects.toThrow('none of the ports');
    await expect(launch.limitOpenFiles(21, signal)).rejects.toThrow('at most 20');
    await expect(launch.limitMemory(1, signal)).rejects.toThrow('no such limit');
    await writeFile(join(folder, 'api.launch.json'), '{"mode":');
    expect(() => launchOf()).toThrow('is no JSON; remove it');
  });

  it('is not well when the folder of the release is gone', async () => {
    const launch = launchOf({ releases: [{ id: 'v1', cwd: join(folder, 'v1') }] });
    expect(await launch.probe(signal)).toMatchObject({ signal: 'launch.release_missing' });
    expect(await launchOf().probe(signal)).toEqual({ status: 'HEALTHY' });
  });
});

/** A service that is this program, in Node. */
const serviceOf = (program: string) =>
  createProcessService({
    id: 'api',
    command: process.execPath,
    args: ['-e', program],
    stateFolder: folder,
    stopGraceMs: 100,
  });

describe.runIf(process.platform === 'linux')('a process service', () => {
  it.each([
    ["console.error('HTTP/1.1 429 Too Many Requests, retry-after: 7'); process.exit(1)", 7],
    ["console.error('Session limit reached'); process.exit(1)", 900],
  ])('says of %s that its quota is used up for %s s', async (program, seconds) => {
    const service = serviceOf(program);
    const startedAt = Date.now();
    await service.start(signal);
    await until(async () => (await service.state(signal)).is === 'exited');
    const reading = await service.probe(signal);
    expect(reading).toMatchObject({ signal: 'quota.exhausted' });
    const [condition] = (reading.status === 'FAILED' && reading.conditions) || [];
    expect(condition?.name).toBe('quota_exhausted');
    expect(condition?.until).toBeGreaterThanOrEqual(startedAt + seconds * 1_000);
    expect(condition?.until).toBeLessThanOrEqual(Date.now() + seconds * 1_000);
    await service.stop(signal);
  });

  it('is not started before its quota is there again, and then it is', async () => {
    const program = `
      const { existsSync, writeFileSync } = require('node:fs');
      if (!existsSync(${JSON.stringify(join(folder, 'called'))})) {
        writeFileSync(${JSON.stringify(join(folder, 'called'))}, '');
        console.error('429: quota exceeded; retry-after: 2');
        process.exit(1);
      }
      setInterval(() => undefined, 1000);`;
    const service = serviceOf(program);
    await service.start(signal);
    await until(async () => (await service.state(signal)).is === 'exited');
    await using watched = await watchWith([{ id: 'api', adapter: service }]);
    const closed = watched.closed('api');
    await until(() => watched.alerts.some((alert) => alert.includes('quota_exhausted')));
    expect(watched.runs).toEqual([]);
    expect(await closed).toMatchObject({ signal: 'quota.exhausted' });
    expect((await service.state(signal)).is).toBe('running');
    await watched.guardian.stop();
    await service.stop(signal);
  });

  it('runs once, however many start it at the same moment', async () => {
    const service = serviceOf('setInterval(() => undefined, 1000)');
    for (let times = 0; times < 5; times += 1) {
      await Promise.all([service.start(signal), service.start(signal)]);
      const mark = markOf({ id: 'api', stateFolder: folder });
      expect(await findByEnvironment(MARK, mark)).toHaveLength(1);
      await service.stop(signal);
    }
  });

  it('ends when it is stopped while it is being started', async () => {
    const service = serviceOf('setInterval(() => undefined, 1000)');
    await Promise.all([service.start(signal), service.stop(signal)]);
    expect((await service.state(signal)).is).toBe('stopped');
    await Promise.all([service.start(signal), service.stop(signal), service.start(signal)]);
    expect((await service.state(signal)).is).toBe('running');
    await service.stop(signal);
  });

  it('takes a line of its code for no quota', async () => {
    const service = serviceOf("console.error('at f (/app/api.js:429:5)'); process.exit(1)");
    await service.start(signal);
    await until(async () => (await service.state(signal)).is === 'exited');
    expect(await service.probe(signal)).toMatchObject({ signal: 'process.exited' });
    await service.stop(signal);
  });

  it('knows how it ended as soon as it is seen to be gone', async () => {
    for (let times = 0; times < 10; times += 1) {
      const service = serviceOf('process.exit(78)');
      await service.start(signal);
      for (;;) {
        const state = await service.state(signal);
        if (state.is === 'running') continue;
        expect(state).toMatchObject({ exit: { code: 78 } });
        break;
      }
      await service.stop(signal);
    }
  });

  it.each(['', '{"pid": 12', '{"pid": "12", "start_time": 4}'])(
    'is found by its mark when its record says %j',
    async (record) => {
      const service = serviceOf('setInterval(() => undefined, 1000)');
      await service.start(signal);
      const running = await service.state(signal);
      await writeFile(join(folder, 'api.json'), record);
      const next = serviceOf('setInterval(() => undefined, 1000)');
      expect(await next.state(signal)).toEqual(running);
      await next.start(signal); // which starts no second one
      expect(await next.state(signal)).toEqual(running);
      await next.stop(signal);
      expect((await next.state(signal)).is).toBe('stopped');
    },
  );

  it('is not the stranger that has its process number now, whom nobody ends', async () => {
    const stranger = spawn('sleep', ['30'], { detached: true, stdio: 'ignore' });
    await once(stranger, 'spawn');
    const record = { pid: stranger.pid, start_time: '12345', started_at: '2026-01-01T00:00:00Z' };
    await writeFile(join(folder, 'api.json'), JSON.stringify(record));
    const service = serviceOf('setInterval(() => undefined, 1000)');
    expect((await service.state(signal)).is).toBe('exited');
    await service.stop(signal);
    await service.start(signal);
    expect(await service.state(signal)).not.toMatchObject({ identity: { pid: stranger.pid } });
    await service.stop(signal);
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
    stranger.kill('SIGKILL');
    await once(stranger, 'exit');
  });

  it('has ended when what we started has, whatever it left behind', async () => {
    const service = serviceOf(
      `require('node:child_process').spawn('sleep', ['30'], { detached: true, stdio: 'ignore' }).unref(); setTimeout(() => process.exit(3), 100)`,
    );
    await service.start(signal);
    await until(async () => (await service.state(signal)).is === 'exited');
    expect(await service.state(signal)).toMatchObject({ exit: { code: 3 } });
    // Nor does a guardian that starts anew take the rest for the service.
    expect((await serviceOf('').state(signal)).is).toBe('exited');
    await service.stop(signal); // which ends the rest
  });
});

describe.runIf(process.platform === 'linux')('the vitals of a process', () => {
  let world: ServiceWorld;
  beforeEach(async () => {
    world = await makeServiceWorld({ launch: { openFiles: { limit: 100, cap: 100 } } });
    await world.start();
  });
  afterEach(() => world.close());

  it('are its memory, its descriptors and the delay of its event loop', async () => {
    await until(async () => (await world.vitals.read(signal))?.loopDelayMs !== undefined);
    const vitals = await world.vitals.read(signal);
    expect(vitals).toMatchObject({
      identity: await world.target(),
      openFiles: { count: expect.any(Number), limit: 100 },
    });
    expect(vitals?.memory.usedBytes).toBeGreaterThan(1_000_000);
    expect(vitals?.memory.limitBytes).toBeGreaterThan(10_000_000);
    expect(vitals?.residentBytes).toBeGreaterThan(vitals?.memory.usedBytes ?? Infinity);
    expect(await world.vitals.canOpen(10, signal)).toBe(true);
    expect(await world.vitals.canOpen(100, signal)).toBe(false);
  });

  it('are seen from outside when it tells nothing', async () => {
    const mute = createProcessVitals(
      { id: 'api', residentLimitBytes: 1_000_000 },
      { service: world.service },
    );
    expect(await mute.read(signal)).toMatchObject({
      memory: { limitBytes: 1_000_000 },
      loopDelayMs: undefined,
    });
    expect(await mute.canOpen(1, signal)).toBeUndefined();
    expect(await mute.probe(signal)).toMatchObject({ signal: 'memory.high' });
    const absent = createProcessVitals(
      { id: 'api', socket: join(folder, 'nobody.sock') },
      { service: world.service },
    );
    expect(await absent.probe(signal)).toMatchObject({ status: 'HEALTHY' });
  });

  it('are not known when nothing runs', async () => {
    await world.service.stop(signal);
    expect(await world.vitals.read(signal)).toBeUndefined();
    expect(await world.vitals.probe(signal)).toMatchObject<Partial<Reading>>({
      status: 'UNKNOWN',
      reason: 'stale',
    });
  });

  it('answer what is no question with an error, and go on', async () => {
    const ask = async (line: string) => {
      const peer = connect(join(world.folder, 'vitals.sock'));
      peer.write(line);
      const [answer] = await once(peer, 'data');
      return String(answer);
    };
    expect(await ask('what?\n')).toContain('"error"');
    expect(await world.vitals.canOpen(1, signal)).toBe(true);
  });
});

describe('a service that reports its vitals', () => {
  it('does its work where nobody wants to know, and where the socket cannot be opened', async () => {
    const program = `import { reportVitals } from '@buddy/guardian/vitals'; reportVitals(); console.log('works');`;
    for (const socket of [undefined, '/nowhere/at/all.sock']) {
      const child = spawn(
        process.execPath,
        ['--conditions=@buddy/source', '--input-type=module', '-e', program],
        {
          cwd: new URL('.', import.meta.url).pathname,
          env: { ...(socket !== undefined && { BUDDY_VITALS_SOCKET: socket }) },
        },
      );
      let told = '';
      child.stdout.on('data', (part) => (told += String(part)));
      child.stderr.on('data', (part) => (told += String(part)));
      const [code] = await once(child, 'close');
      expect(code).toBe(0); // it also ends by itself
      expect(told).toContain('works');
      expect(told.includes('No vitals are told')).toBe(socket !== undefined);
    }
  });
});
