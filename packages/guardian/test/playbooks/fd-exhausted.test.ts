import { fdExhausted } from '@buddy/guardian';
import { fdLeak } from '@buddy/guardian/faults';
import { describe, expect, it } from 'vitest';
import { describePlaybook } from '../playbook-contract.ts';
import { openExhaustedWorld, openLimitedWorld } from '../worlds/fd-exhausted.ts';
import { signal } from '../worlds/service-world.ts';
import { watchWith } from '../worlds/watched-guardian.ts';

describePlaybook(fdExhausted, openExhaustedWorld);

describe('playbook fd_exhausted', () => {
  it('is called before the last descriptor is gone, and raises the limit within its cap', async () => {
    const world = await openLimitedWorld(120);
    await using watched = await watchWith(world.resources, { confirm: { intervalMs: 50 } });
    const closed = watched.closed('api-vitals');
    await world.kit.inject(fdLeak, { identity: await world.target() });
    expect(await closed).toMatchObject({
      signal: 'fds.exhausted',
      closedAs: 'restored',
      reason: 'healed by fd_exhausted',
    });
    expect((await world.vitals.read(signal))?.openFiles.limit).toBe(120);
    await watched.guardian.stop();
    await world.close();
  });

  it('replaces nothing when it is enough to close what is idle', async () => {
    const world = await openLimitedWorld();
    const before = await world.target();
    await fetch(`http://127.0.0.1:${world.whereIsIt()}/open/66`);
    expect(await world.vitals.probe(signal)).toMatchObject({ signal: 'fds.exhausted' });
    await using watched = await watchWith(world.resources, { confirm: { intervalMs: 50 } });
    const closed = watched.closed('api-vitals');
    expect(await closed).toMatchObject({ closedAs: 'restored' });
    expect(await world.target()).toEqual(before);
    expect(world.launch.settings().openFiles).toBe(96);
    await watched.guardian.stop();
    await world.close();
  });

  it('asks only when it may not replace, and says that it did not help', async () => {
    const world = await openLimitedWorld();
    const before = await world.target();
    await world.kit.inject(fdLeak, { identity: before });
    const impatient = { ...fdExhausted, verify: { ...fdExhausted.verify, withinMs: 300 } };
    const options = { autonomy: { 3: 'never' }, probeIntervalMs: 3_600_000 } as const;
    await using watched = await watchWith(world.resources, options, [impatient]);
    const { outcome } = await watched.guardian.report({
      resource: 'api-vitals',
      signal: 'fds.exhausted',
      certainty: 'decisive',
    });
    expect(await outcome).toBe('escalated');
    expect(await world.target()).toEqual(before);
    await watched.guardian.stop();
    await world.close();
  });
});
