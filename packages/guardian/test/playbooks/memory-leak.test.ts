import { memoryLeak, slopeOf } from '@buddy/guardian';
import { heapLeak } from '@buddy/guardian/faults';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describePlaybook } from '../playbook-contract.ts';
import { MEGABYTE, openLeakingWorld, openMeasuredWorld } from '../worlds/memory-leak.ts';
import { signal, until } from '../worlds/service-world.ts';
import { watchWith } from '../worlds/watched-guardian.ts';

describePlaybook(memoryLeak, openLeakingWorld);

describe('playbook memory_leak', () => {
  const quick = { leak: { samples: 10, spanMs: 1_000 } };

  it('is called by growth that is certain and leads to the limit, long before it is full', async () => {
    // A resident limit, for the heap is told after major collections only, which come when they like.
    const world = await openMeasuredWorld({
      ...quick,
      socket: undefined,
      residentLimitBytes: 2_000 * MEGABYTE,
    });
    await using watched = await watchWith(world.resources, { confirm: { intervalMs: 50 } });
    const leak = { bytesPerSecond: 30 * MEGABYTE, mostBytes: 500 * MEGABYTE };
    await world.kit.inject(heapLeak, { identity: await world.target(), ...leak });
    await until(() => watched.runs.some(({ playbook }) => playbook === 'memory_leak'));
    expect(watched.runs[0]).toMatchObject({ playbook: 'memory_leak', result: 'restored' });
    await watched.guardian.stop();
    await world.close();
  });

  it('leaves a service alone whose memory goes up and down', async () => {
    const world = await openMeasuredWorld({
      ...quick,
      socket: undefined,
      residentLimitBytes: 2_000 * MEGABYTE,
    });
    for (let looks = 0; looks < 15; looks += 1) {
      expect(await world.vitals.probe(signal)).toEqual({ status: 'HEALTHY' });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await world.close();
  });

  it('replaces nothing when it is enough to drop what is cached', async () => {
    const world = await openMeasuredWorld();
    const before = await world.target();
    await fetch(`http://127.0.0.1:${world.whereIsIt()}/cache/8000000`);
    const used = async () => (await world.vitals.read(signal))?.memory.usedBytes ?? 0;
    await until(async () => (await used()) > 60 * MEGABYTE);
    await using watched = await watchWith(world.resources);
    const { outcome } = await watched.guardian.report({
      resource: 'api-vitals',
      signal: 'memory.leaking',
      certainty: 'decisive',
      data: { used_bytes: await used() },
    });
    expect(await outcome).toBe('restored');
    expect(await world.target()).toEqual(before);
    await watched.guardian.stop();
    await world.close();
  });
});

/** Twenty samples on a line, some of them wild. */
const line = (slope: number, wild: readonly number[] = []) =>
  Array.from({ length: 20 }, (_, at) => ({ at, value: wild.includes(at) ? 1e9 : slope * at }));

describe('the slope of growth', () => {
  it('is that of a line, whatever a few wild samples say', () => {
    expect(slopeOf(line(3), 0.95)).toEqual({ estimate: 3, low: 3, high: 3 });
    expect(slopeOf(line(3, [4, 11]), 0.95)?.estimate).toBeCloseTo(3);
    expect(slopeOf([{ at: 1, value: 1 }], 0.95)).toBeUndefined();
  });

  it('moves with the series: shifted by nothing, scaled by the scale', () =>
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 5, maxLength: 20 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: -500, max: 500 }),
        (values, scale, shift) => {
          const points = values.map((value, at) => ({ at, value }));
          const moved = points.map(({ at, value }) => ({ at, value: value * scale + shift }));
          const [before, after] = [slopeOf(points, 0.9), slopeOf(moved, 0.9)];
          expect(after?.estimate).toBeCloseTo((before?.estimate ?? 0) * scale, 6);
          expect(after?.low).toBeCloseTo((before?.low ?? 0) * scale, 6);
        },
      ),
    ));
});
