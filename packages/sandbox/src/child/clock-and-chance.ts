/** The time a guest sees: it stands still while the guest computes and moves when the host answers. */
export type Now = () => number;

/** `Date` in all but two ways: without arguments it asks `now`, and so does `Date.now()`. */
export function createDate(RealDate: DateConstructor, now: Now): DateConstructor {
  function GuestDate(this: unknown, ...given: unknown[]): unknown {
    if (new.target === undefined) return new RealDate(now()).toString();
    return Reflect.construct(RealDate, given.length === 0 ? [now()] : given, new.target);
  }
  const fixed = { writable: false, configurable: false };
  Object.defineProperties(GuestDate, {
    name: { value: 'Date', ...fixed },
    length: { value: 7, ...fixed },
    prototype: { value: RealDate.prototype, ...fixed },
    now: { value: () => now(), ...fixed },
    parse: { value: RealDate.parse, ...fixed },
    UTC: { value: RealDate.UTC, ...fixed },
  });
  // A function with the statics of Date, which TypeScript cannot see.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return GuestDate as unknown as DateConstructor;
}

/** `Math` with a `random` of its own; the rest is inherited, for copying it costs as much as all else in a run. */
export function createMath(hardenedMath: object, random: () => number): object {
  return Object.freeze(Object.create(hardenedMath, { random: { value: Object.freeze(random) } }));
}

/** The generator sfc32 of Chris Doty-Humphrey's PractRand, uniform in [0, 1) with 32 bits. */
export function createRandom(seed: readonly number[]): () => number {
  let [a = 1, b = 2, c = 3, counter = 4] = seed;
  return () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
}
