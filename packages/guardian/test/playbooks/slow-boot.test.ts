import { rm } from 'node:fs/promises';
import { slowBoot } from '@buddy/guardian';
import { describe, expect, it } from 'vitest';
import { describePlaybook } from '../playbook-contract.ts';
import { signal, until } from '../worlds/service-world.ts';
import { openBootWorld, openSlowWorld, slowDown } from '../worlds/slow-boot.ts';
import { watchWith } from '../worlds/watched-guardian.ts';

describePlaybook(slowBoot, () => openSlowWorld());

describe('playbook slow_boot', () => {
  it('is called the moment the time to boot is over, and not before', async () => {
    const world = await openBootWorld({ service: { bootBudgetMs: 1_000 } });
    // Nobody looks: what is told is told by the service itself.
    await using watched = await watchWith(world.resources, { probeIntervalMs: 3_600_000 });
    const closed = watched.closed('api');
    const startedAt = performance.now();
    await slowDown(world);
    expect(await world.service.probe(signal)).toMatchObject({
      status: 'UNKNOWN',
      reason: 'warming_up',
    });
    const { detected, restored, ...incident } = await closed;
    expect(incident).toMatchObject({
      signal: 'service.slow_boot',
      closedAs: 'restored',
      reason: 'healed by slow_boot',
    });
    expect(performance.now() - startedAt).toBeGreaterThan(1_000);
    expect((restored ?? Infinity) - detected).toBeLessThan(slowBoot.mttrTargetMs);
    await watched.guardian.stop();
    await world.close();
  });

  it('starts it in its usual mode again when an operator takes the healing back', async () => {
    const world = await openBootWorld({ service: { bootBudgetMs: 1_000 } });
    await slowDown(world);
    await using watched = await watchWith(world.resources);
    await watched.closed('api');
    await rm(world.slowFile);
    await watched.guardian.rollBack(watched.runs[0]?.id ?? '');
    expect(world.launch.settings().mode).toBe('normal');
    await until(world.isWell);
    await watched.guardian.stop();
    await world.close();
  });

  it('is for people when it is slow in safe mode, too', async () => {
    const world = await openBootWorld({ service: { bootBudgetMs: 500 } });
    await slowDown(world);
    await world.launch.useMode('safe', signal);
    await using watched = await watchWith(world.resources);
    const parked = () =>
      watched.guardian.openIncidents.find(
        ({ resource, status }) => resource === 'api' && status === 'parked',
      );
    await until(() => parked() !== undefined);
    expect(parked()?.reason).toContain('in safe mode, too');
    expect(await world.isRunning()).toBe(true); // it may come up yet
    await watched.guardian.stop();
    await world.close();
  });
});
