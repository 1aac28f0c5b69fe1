import { getEventListeners } from 'node:events';
import { acceleratedClock, type Clock, ManualClock, systemClock } from '@buddy/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const clocks: [
  name: string,
  make: () => { clock: Clock; settle: <T>(work: () => Promise<T>) => Promise<T> },
][] = [
  ['the system clock', () => ({ clock: systemClock, settle: (work) => work() })],
  [
    'an accelerated clock',
    () => ({ clock: acceleratedClock(1_000_000), settle: (work) => work() }),
  ],
  [
    'a manual clock',
    () => {
      const clock = new ManualClock();
      return { clock, settle: (work) => clock.run(work) };
    },
  ],
];

describe.each(clocks)('%s', (_name, make) => {
  it('tells the time, and never goes back while somebody sleeps', async () => {
    const { clock, settle } = make();
    const [now, monotonic] = [clock.now(), clock.monotonic()];
    await settle(() => clock.sleep(2));
    expect(clock.now() - now).toBeGreaterThanOrEqual(1); // Node's timers may be early by a part of a millisecond
    expect(clock.monotonic() - monotonic).toBeGreaterThanOrEqual(1);
  });

  it('sleeps not at all for 0, less, or what is no number', async () => {
    const { clock } = make();
    for (const ms of [0, -1, NaN]) await clock.sleep(ms);
    expect(clock.monotonic()).toBeGreaterThanOrEqual(0);
  });

  it('rejects with the reason of the signal, before and during the sleep, and lets go of it', async () => {
    const { clock } = make();
    const reason = new Error('enough');
    for (const ms of [0, 1_000_000]) {
      await expect(clock.sleep(ms, AbortSignal.abort(reason))).rejects.toBe(reason);
    }
    const controller = new AbortController();
    const sleeping = clock.sleep(1_000_000, controller.signal);
    controller.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  it('lets go of the signal after a whole sleep', async () => {
    const { clock, settle } = make();
    const { signal } = new AbortController();
    await settle(() => clock.sleep(1, signal));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('gives back what external work gives, also a failure', async () => {
    const { clock, settle } = make();
    expect(await settle(() => clock.external(async () => 7))).toBe(7);
    await expect(
      settle(() => clock.external(() => Promise.reject(new Error('lost')))),
    ).rejects.toThrow('lost');
  });
});

describe('the system clock', () => {
  it('sleeps longer than a timer can: it does not wake at once', async () => {
    const controller = new AbortController();
    let isAwake = false;
    const sleeping = systemClock.sleep(2 ** 32, controller.signal).finally(() => (isAwake = true));
    await systemClock.sleep(5);
    expect(isAwake).toBe(false);
    controller.abort();
    await expect(sleeping).rejects.toThrow('aborted');
  });
});

function fail(): never {
  throw new Error('at once');
}

/** Resolves when everything that is due has run, some rounds of the event loop later. */
async function rounds(count: number): Promise<void> {
  for (let round = 0; round < count; round += 1)
    await new Promise((resolve) => setImmediate(resolve));
}

describe('a manual clock', () => {
  it('starts on the first of January 2026, or where it is told to', () => {
    expect(new Date(new ManualClock().now()).toISOString()).toBe('2026-01-01T00:00:00.000Z');
    const clock = new ManualClock(1_000);
    expect([clock.now(), clock.monotonic()]).toEqual([1_000, 0]);
  });

  it('stands still until it is told to move, and moves as far as it is told', async () => {
    const clock = new ManualClock(0);
    const woken: string[] = [];
    void clock.sleep(10).then(() => woken.push('ten'));
    await rounds(3);
    expect([clock.now(), woken]).toEqual([0, []]);
    await clock.advance(9);
    expect([clock.now(), woken]).toEqual([9, []]);
    await clock.advance(1);
    expect([clock.now(), woken]).toEqual([10, ['ten']]);
  });

  it('wakes sleepers when they are due, in due order, and then in the order they fell asleep', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 20 }),
        async (durations) => {
          const clock = new ManualClock(0);
          const woken: { duration: number; sleeper: number; at: number }[] = [];
          await clock.run(() =>
            Promise.all(
              durations.map(async (duration, sleeper) => {
                await clock.sleep(duration);
                woken.push({ duration, sleeper, at: clock.now() });
              }),
            ),
          );
          const expected = durations
            .map((duration, sleeper) => ({ duration, sleeper, at: duration }))
            .toSorted((a, b) => a.duration - b.duration || a.sleeper - b.sleeper);
          expect(woken).toEqual(expected);
        },
      ),
      { numRuns: 30 },
    ));

  it.each([NaN, Infinity, -1])('is not advanced by %d ms, and says so', async (ms) => {
    const clock = new ManualClock(1_000);
    await expect(clock.advance(ms)).rejects.toMatchObject({
      code: 'CORE_INVALID_INPUT',
      message: expect.stringContaining('milliseconds for advance of a ManualClock'),
    });
    expect(clock.now()).toBe(1_000);
  });

  it('wakes a sleeper who fell asleep while time was advanced over it', async () => {
    const clock = new ManualClock(0);
    const times: number[] = [];
    void (async () => {
      for (const ms of [3, 3, 3]) {
        await clock.sleep(ms);
        times.push(clock.now());
      }
    })();
    await clock.advance(7);
    expect([times, clock.now()]).toEqual([[3, 6], 7]);
  });

  it('does a day of sleeping at once', async () => {
    const clock = new ManualClock();
    const answer = await clock.run(async () => {
      for (let hour = 0; hour < 24; hour += 1) await clock.sleep(3_600_000);
      return 'slept well';
    });
    expect([answer, clock.monotonic()]).toEqual(['slept well', 86_400_000]);
  });

  it('skips a sleeper who was aborted', async () => {
    const clock = new ManualClock(0);
    const controller = new AbortController();
    const aborted = clock.sleep(5, controller.signal);
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    await clock.run(() => clock.sleep(2));
    expect(clock.now()).toBe(2);
  });

  it('stands still while external work is in flight', async () => {
    const clock = new ManualClock(0);
    const finished = await clock.run(async () => {
      const slept = clock.sleep(1).then(() => clock.now());
      const worked = clock.external(() => rounds(20)).then(() => clock.now());
      return Promise.all([slept, worked]);
    });
    expect(finished).toEqual([1, 0]);
  });

  it('hands out results in the order in which the work was started, whatever order it finished in', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.nat(8), { maxLength: 8 }), async (delays) => {
        const clock = new ManualClock();
        const got: number[] = [];
        await clock.run(() =>
          Promise.all(
            delays.map(async (delay, order) => {
              await clock.external(() => rounds(delay));
              got.push(order);
            }),
          ),
        );
        expect(got).toEqual(delays.map((_, order) => order));
      }),
      { numRuns: 20 },
    ));

  it('does so also for work that is started while results are handed out', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.nat(5), { minLength: 6, maxLength: 6 }), async (delays) => {
        const clock = new ManualClock(0);
        const got: string[] = [];
        await clock.run(() =>
          Promise.all(
            [0, 1, 2].map(async (party) => {
              await clock.external(() => rounds(delays[party] ?? 0));
              got.push(`first of ${party}`);
              await clock.external(() => rounds(delays[party + 3] ?? 0));
              got.push(`second of ${party}`);
            }),
          ),
        );
        expect(got).toEqual([
          'first of 0',
          'first of 1',
          'first of 2',
          'second of 0',
          'second of 1',
          'second of 2',
        ]);
        expect(clock.now()).toBe(0);
      }),
      { numRuns: 20 },
    ));

  it('rejects as the work rejects, at once or after a sleep', async () => {
    const clock = new ManualClock();
    await expect(clock.run(fail)).rejects.toThrow('at once');
    await expect(clock.external(fail)).rejects.toThrow('at once');
    const later = clock.run(async () => {
      await clock.sleep(5);
      throw new Error('later');
    });
    await expect(later).rejects.toThrow('later');
  });

  it('waits in `run` for work that neither sleeps nor is external', async () => {
    const clock = new ManualClock();
    expect(await clock.run(async () => (await rounds(10), 'done'))).toBe('done');
  });
});

describe('an accelerated clock', () => {
  it('lets hours pass in no time, and begins at the present', async () => {
    const clock = acceleratedClock(10_000_000);
    expect(Math.abs(clock.now() - Date.now())).toBeLessThan(24 * 3_600_000);
    const began = clock.monotonic();
    await clock.sleep(3_600_000); // a third of a millisecond
    expect(clock.monotonic() - began).toBeGreaterThan(3_000_000);
  });

  it('cannot stand still or go back', () => {
    for (const speed of [0, -1, NaN, Infinity]) {
      expect(() => acceleratedClock(speed)).toThrow(RangeError);
    }
  });
});
