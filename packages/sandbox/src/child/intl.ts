export interface GuestIntl {
  /** What no property leads to, and `harden` would miss. */
  hidden: readonly object[];
  /** Whose time it is where a formatter is given none. */
  readTimeOf: (now: () => number) => void;
}

/**
 * Makes `Intl` fit for programs that share a realm, before it is hardened: a formatter of dates that is given none would
 * read the real clock, which a replay cannot turn back.
 */
export function claimIntl(): GuestIntl {
  let now = startOfTime;
  const prototype = Intl.DateTimeFormat.prototype;
  const real = Object.create(null, Object.getOwnPropertyDescriptors(prototype));
  const given = (date: unknown): unknown => (date === undefined ? now() : date);
  const own = {
    get format(): unknown {
      const format = Reflect.get(real, 'format', this);
      return (date?: unknown): unknown => Reflect.apply(format, undefined, [given(date)]);
    },
    formatToParts(date?: unknown): unknown {
      return Reflect.apply(real.formatToParts, this, [given(date)]);
    },
  };
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(own)))
    Object.defineProperty(prototype, name, { ...descriptor, enumerable: false });

  const segments = new Intl.Segmenter().segment('');
  return {
    hidden: [Object.getPrototypeOf(segments), Object.getPrototypeOf(segments[Symbol.iterator]())],
    readTimeOf: (next) => {
      now = next;
    },
  };
}

/** Before the first run there is no time. */
function startOfTime(): number {
  return 0;
}
