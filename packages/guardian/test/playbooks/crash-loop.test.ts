import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { crashLoop, type ServiceLaunchInput } from '@buddy/guardian';
import { describe, expect, it } from 'vitest';
import { describePlaybook, type PlaybookWorld } from '../playbook-contract.ts';
import {
  makeServiceWorld,
  type ServiceWorld,
  type ServiceWorldInput,
  signal,
  until,
} from '../worlds/service-world.ts';
import { watchWith } from '../worlds/watched-guardian.ts';

const good = { id: 'v1' };
/** It is well for a while, and then ends: each start looks like a success. */
const broken = { id: 'v2', env: { CRASH_AFTER_MS: '600' } };
const releases: ServiceLaunchInput['releases'] = [good, broken];

/** The good release was seen to work before the broken one came. */
async function makeWorld(input: ServiceWorldInput = {}) {
  const world = await makeServiceWorld({ launch: { releases }, ...input });
  await world.launch.useRelease('v1', signal);
  await world.start();
  return world;
}

async function deploy({ launch, service }: ServiceWorld, release: string): Promise<void> {
  await launch.useRelease(release, signal);
  await service.stop(signal);
  await service.start(signal);
}

async function brokenReleaseWorld(): Promise<PlaybookWorld> {
  const crashing = { id: 'v2', env: { CRASH_AFTER_MS: '0' } };
  const world = await makeWorld({ launch: { releases: [good, crashing] } });
  const { resources, launch, isRunning, isExited, answers, close } = world;
  return {
    resources,
    subject: 'api',
    fault: {
      name: 'a release that crashes',
      apply: async () => {
        await deploy(world, 'v2');
        await until(isExited);
      },
      isPresent: async () => launch.settings().release === 'v2' && !(await answers()),
      revert: async () => undefined,
    },
    symptom: async () => ({ signal: 'process.crash_loop' }),
    state: async () => ({
      release: launch.settings().release,
      isRunning: await isRunning(),
    }),
    close,
  };
}

describePlaybook(crashLoop, brokenReleaseWorld);

const started = async ({ folder }: ServiceWorld): Promise<number> =>
  (await readFile(join(folder, 'starts'), 'utf8').catch(() => '')).length;

describe('playbook crash_loop', { timeout: 60_000 }, () => {
  it('ends a loop by going back to the release that worked, whoever noticed each crash', async () => {
    const world = await makeWorld();
    await using watched = await watchWith(world.resources);
    await deploy(world, 'v2');
    await until(() => watched.runs.some(({ playbook }) => playbook === 'crash_loop'));
    expect(watched.runs.at(-1)).toMatchObject({ playbook: 'crash_loop', result: 'restored' });
    expect(world.launch.settings().release).toBe('v1');
    expect(await world.answers()).toBe(true);
    // The good one, the broken one, at most twice again, and the good one.
    expect(await started(world)).toBeLessThanOrEqual(5);
    await watched.guardian.stop();
    await world.close();
  });

  it('starts it 6 times at most when there is no release that worked, and tells somebody', async () => {
    // Ends of different making, so that they count one by one.
    const world = await makeServiceWorld({
      launch: { releases: [broken] },
      service: { crashLoop: { sameStack: 99 } },
    });
    await world.service.start(signal);
    const before = await started(world);
    await using watched = await watchWith(world.resources, { probeIntervalMs: 200 });
    await until(() => watched.alerts.some((alert) => alert.includes('restarted too often')));
    await sleep(1_500);
    expect((await started(world)) - before).toBeLessThanOrEqual(6);
    expect(watched.runs.map(({ playbook }) => playbook)).toContain('crash_loop');
    await watched.guardian.stop();
    await world.close();
  });

  it('counts ends and not time: a service that was well for long gets no credit for it', async () => {
    const world = await makeWorld({ service: { crashLoop: { ends: 2 } } });
    for (const expected of ['process.exited', 'process.crash_loop']) {
      process.kill((await world.target()).pid, 'SIGKILL');
      await until(world.isExited);
      expect(await world.service.probe(signal)).toMatchObject({ signal: expected });
      await world.start();
    }
    await world.close();
  });

  it('takes a new release for no part of the loop of the one before', async () => {
    const world = await makeWorld({ service: { crashLoop: { ends: 2 } } });
    for (const release of ['v1', 'v2', 'v1']) {
      await deploy(world, release);
      await until(world.isRunning);
      process.kill((await world.target()).pid, 'SIGKILL');
      await until(world.isExited);
    }
    // Two ends of v1, one of v2.
    expect(await world.service.probe(signal)).toMatchObject({ signal: 'process.crash_loop' });
    await world.launch.useRelease('v2', signal);
    expect(await world.service.probe(signal)).toMatchObject({ signal: 'process.exited' });
    await world.close();
  });
});
