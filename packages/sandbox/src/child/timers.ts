/** Asks the host to answer after `ms` milliseconds: waiting is on the record, so that a replay waits alike. */
type Wake = (ms: number, then: () => void) => void;

export interface Timers {
  setTimeout(callback: unknown, ms?: unknown, ...given: unknown[]): number;
  setInterval(callback: unknown, ms?: unknown, ...given: unknown[]): number;
  setImmediate(callback: unknown, ...given: unknown[]): number;
  clearTimeout(timer: unknown): void;
  clearInterval(timer: unknown): void;
  clearImmediate(timer: unknown): void;
}

export interface TimerPorts {
  maxTimers: number;
  wake: Wake;
  /** Runs a callback of the guest; what it throws ends the run. */
  enter: (callback: () => unknown) => void;
  /** Logs that a timer was given text to evaluate; the error to throw. */
  refuseText: () => Error;
}

const LONGEST_MS = 2 ** 31 - 1;

export function createTimers({ maxTimers, wake, enter, refuseText }: TimerPorts): Timers {
  const waiting = new Set<number>();
  let last = 0;

  function start(callback: unknown, given: unknown[], ms: unknown, repeats: boolean): number {
    if (typeof callback === 'string') throw refuseText();
    if (typeof callback !== 'function')
      throw new TypeError('a timer calls a function; give it one');
    if (waiting.size >= maxTimers)
      throw new RangeError(`no more than ${maxTimers} timers may wait at a time`);
    last += 1;
    const timer = last;
    const delayMs = Math.min(Math.max(Number(ms) || 0, repeats ? 1 : 0), LONGEST_MS);
    const schedule = (): void => {
      wake(delayMs, () => {
        if (!waiting.has(timer)) return;
        if (repeats) schedule();
        else waiting.delete(timer);
        enter(() => Reflect.apply(callback, undefined, given));
      });
    };
    waiting.add(timer);
    schedule();
    return timer;
  }

  const clear = (timer: unknown): void => {
    if (typeof timer === 'number') waiting.delete(timer);
  };
  return {
    setTimeout: (callback, ms, ...given) => start(callback, given, ms, false),
    setInterval: (callback, ms, ...given) => start(callback, given, ms, true),
    setImmediate: (callback, ...given) => start(callback, given, 0, false),
    clearTimeout: clear,
    clearInterval: clear,
    clearImmediate: clear,
  };
}
