import { outOfMemory } from '@buddy/guardian';
import { heapLeak } from '@buddy/guardian/faults';
import { describe, expect, it } from 'vitest';
import { describePlaybook } from '../playbook-contract.ts';
import { fillHeap, openFullHeapWorld, openNarrowWorld } from '../worlds/out-of-memory.ts';
import { signal } from '../worlds/service-world.ts';
import { watchWith } from '../worlds/watched-guardian.ts';

describePlaybook(outOfMemory, openFullHeapWorld);

describe('playbook out_of_memory', () => {
  it('is called when V8 gave up, and heals within its time without being told', async () => {
    const world = await openNarrowWorld();
    await using watched = await watchWith(world.resources);
    const closed = watched.closed('api');
    await fillHeap(world);
    expect(await closed).toMatchObject({
      signal: 'process.out_of_memory',
      closedAs: 'restored',
      reason: 'healed by out_of_memory',
    });
    expect(world.launch.settings().memoryMb).toBe(128);
    expect((await world.vitals.read(signal))?.memory.limitBytes).toBe(128 * 1_048_576);
    await watched.guardian.stop();
    await world.close();
  });

  it('is called before the memory is full, and lets the process end as it likes', async () => {
    const world = await openNarrowWorld({ memoryShare: 0.4, intervalMs: 100 });
    await using watched = await watchWith(world.resources, { confirm: { intervalMs: 50 } });
    const closed = watched.closed('api-vitals');
    const leak = { bytesPerSecond: 900_000_000, mostBytes: 40_000_000 };
    await world.kit.inject(heapLeak, { identity: await world.target(), ...leak });
    expect(await closed).toMatchObject({ signal: 'memory.high', closedAs: 'restored' });
    await watched.guardian.stop();
    await world.close();
  });

  it('raises the limit once, and never beyond the cap: what fills that too is a leak', async () => {
    const world = await openNarrowWorld();
    const { launch, resources } = world;
    await using watched = await watchWith(resources);
    const planned = async () => {
      const { plan } = await watched.guardian.dryRun('out_of_memory', 'api');
      return plan.steps.find(({ id }) => id === 'raise_limit')?.isCalledFor;
    };
    expect(await planned()).toBe(true);
    await launch.limitMemory(128, signal);
    expect(await planned()).toBe(false);
    await expect(launch.limitMemory(512, signal)).rejects.toThrow('at most 256');
    await watched.guardian.stop();
    await world.close();
  });
});
