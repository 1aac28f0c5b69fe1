import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { crashLoop } from '@buddy/guardian';
import { describe, expect, it } from 'vitest';
import { describePlaybook } from '../playbook-contract.ts';
import { broken, deploy, openBrokenReleaseWorld, openReleasedWorld } from '../worlds/crash-loop.ts';
import { makeServiceWorld, type ServiceWorld, signal, until } from '../worlds/service-world.ts';
import { watchWith } from '../worlds/watched-guardian.ts';

describePlaybook(crashLoop, openBrokenReleaseWorld);

const started = async ({ folder }: ServiceWorld): Promise<number> =>
  (await readFile(join(folder, 'starts'), 'utf8').catch(() => '')).length;

describe('playbook crash_loop', () => {
  it('ends a loop by going back to the release that worked, whoever noticed each crash', async () => {
    const world = await openReleasedWorld();
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
    const world = await openReleasedWorld({ service: { crashLoop: { ends: 2 } } });
    for (const expected of ['process.exited', 'process.crash_loop']) {
      process.kill((await world.target()).pid, 'SIGKILL');
      await until(world.isExited);
      expect(await world.service.probe(signal)).toMatchObject({ signal: expected });
      await world.start();
    }
    await world.close();
  });

  it('takes a new release for no part of the loop of the one before', async () => {
    const world = await openReleasedWorld({ service: { crashLoop: { ends: 2 } } });
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
