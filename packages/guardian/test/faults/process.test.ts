import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createHttpPort, type ProcessIdentity } from '@buddy/guardian';
import {
  fdLeak,
  heapLeak,
  loopBlock,
  portOccupy,
  processExit,
  processKill,
  processStop,
  recoverFaults,
} from '@buddy/guardian/faults';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  freePort,
  makeServiceWorld,
  type ServiceWorld,
  signal,
  until,
} from '../worlds/service-world.ts';

let world: ServiceWorld;
let identity: ProcessIdentity;

beforeEach(async () => {
  world = await makeServiceWorld({ launch: { openFiles: { limit: 96, cap: 96 } } });
  await world.start();
  identity = await world.target();
});
afterEach(() => world.close());

describe.runIf(process.platform === 'linux')('faults of a process', () => {
  it('processKill ends it, and is there until another has its place', async () => {
    const fault = await world.kit.inject(processKill, { identity });
    expect(await fault.isPresent()).toBe(true);
    expect(await world.service.probe(signal)).toMatchObject({ data: { signal: 'SIGKILL' } });
    await world.start();
    expect(await fault.isPresent()).toBe(false);
  });

  it.each([
    ['exit', 7, 7],
    ['throw', undefined, 1],
  ] as const)('processExit lets it %s by itself', async (how, code, expected) => {
    const given = code === undefined ? {} : { code };
    await world.kit.inject(processExit, { identity, how, ...given });
    expect(await world.service.probe(signal)).toMatchObject({ data: { code: expected } });
  });

  it('processStop stops it, and lets it go on', async () => {
    const fault = await world.kit.inject(processStop, { identity });
    expect(await world.port.connect(signal)).toMatchObject({ status: 'HEALTHY' });
    expect(await world.answers()).toBe(false);
    await fault.revert();
    expect(await world.answers()).toBe(true);
    expect(await world.target()).toEqual(identity);
  });

  it('heapLeak fills its heap so far, and lets go of it', async () => {
    const used = async () => (await world.vitals.read(signal))?.memory.usedBytes ?? 0;
    const before = await used();
    const leak = { bytesPerSecond: 500_000_000, mostBytes: 60_000_000 };
    const fault = await world.kit.inject(heapLeak, { identity, ...leak });
    // Less than was leaked: some of what was there before is collected meanwhile.
    await until(async () => (await used()) > before + 35_000_000);
    await fault.revert();
    await world.vitals.shed(signal); // which collects
    expect(await used()).toBeLessThan(before + 10_000_000);
  });

  it('heapLeak takes no more than the kit allows', async () => {
    const leak = { mostBytes: 2_000_000_000 };
    await expect(world.kit.inject(heapLeak, { identity, ...leak })).rejects.toMatchObject({
      code: 'GUARDIAN_FAULT_CAP',
    });
    expect(await world.answers()).toBe(true);
  });

  it('loopBlock lets its event loop stand still, and turn again', async () => {
    const fault = await world.kit.inject(loopBlock, { identity });
    expect(await world.answers()).toBe(false);
    await fault.revert();
    expect(await world.answers()).toBe(true);
    expect(await world.target()).toEqual(identity);
  });

  it('loopBlock is over by itself after its time', async () => {
    const fault = await world.kit.inject(loopBlock, { identity, forMs: 2_000 });
    await until(async () => !(await fault.isPresent()));
    expect(await world.answers()).toBe(true);
  });

  it('fdLeak leaves it so many descriptors, and closes what it opened', async () => {
    const open = async () => (await world.vitals.read(signal))?.openFiles.count ?? 0;
    const before = await open();
    const fault = await world.kit.inject(fdLeak, { identity });
    expect(await open()).toBeGreaterThanOrEqual(90);
    await fault.revert();
    await until(async () => (await open()) < before + 20); // an inspector has some of its own
  });

  it('portOccupy gives a port to another process, of which the guardian can see the mark', async () => {
    const port = await freePort();
    const env = { BUDDY_SERVICE: `${world.folder}/api` };
    const fault = await world.kit.inject(portOccupy, { port, env });
    expect(await world.launch.isFree(port, signal)).toBe(false);
    const owner = await createHttpPort({ port }).owner(signal);
    if (owner.is !== 'process') throw new Error(`the owner is ${owner.is}`);
    expect(await world.launch.isOurs(owner.identity, signal)).toBe(true);
    await fault.revert();
    expect(await world.launch.isFree(port, signal)).toBe(true);
  });

  it('hurt no process but the one that is meant', async () => {
    const other = { ...identity, startTime: '1' };
    await expect(world.kit.inject(processStop, { identity: other })).rejects.toThrow(
      'another process has its number',
    );
    const own = { pid: process.pid, startTime: '1' };
    await expect(world.kit.inject(processKill, { identity: own })).rejects.toThrow(
      'the process that injects it',
    );
    await expect(world.kit.inject(portOccupy, { port: world.whereIsIt() })).rejects.toThrow(
      'has an owner already',
    );
    expect(await world.answers()).toBe(true);
  });

  it.each([
    ['processStop', async () => ({ identity })],
    ['loopBlock', async () => ({ identity })],
    ['fdLeak', async () => ({ identity })],
    ['heapLeak', async () => ({ identity, mostBytes: 20_000_000 })],
    ['portOccupy', async () => ({ port: await freePort() })],
  ] as const)(
    '%s is taken back from the journal when its injector was killed',
    async (kind, options) => {
      const folder = join(world.folder, 'journal-of-another');
      const program = new URL('../children/process-fault-injector.ts', import.meta.url).pathname;
      const given = JSON.stringify(await options());
      const injector = spawn(
        process.execPath,
        ['--conditions=@buddy/source', program, folder, kind, given],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
          env: { PATH: process.env['PATH'], BUDDY_FAULTS: '1' },
        },
      );
      const exited = once(injector, 'exit');
      await once(injector.stdout, 'data');
      injector.kill('SIGKILL');
      await exited;
      const recovered = await recoverFaults({ folder });
      // A watchdog may have been faster.
      for (const each of recovered) expect(['reverted', 'lasting']).toContain(each.is);
      await until(world.answers);
      expect(await world.target()).toEqual(identity);
      expect(await recoverFaults({ folder })).toEqual([]);
    },
  );
});
