export interface AbortPorts {
  /** Calls back after so many milliseconds. */
  wake: (callback: () => void, ms: number) => void;
  /** Runs a listener; what it throws ends the run. */
  enter: (callback: () => unknown) => void;
}

type Listener = (event: object) => unknown;

/** `AbortController` and `AbortSignal` of the DOM standard, of one run: `AbortSignal.timeout` waits by its timers. */
export function createAbort({ wake, enter }: AbortPorts): {
  AbortController: object;
  AbortSignal: object;
} {
  const KEY = Symbol('only for this file');
  let abortSignal: (signal: AbortSignal, reason: unknown) => void;

  class AbortSignal {
    static readonly name = 'AbortSignal'; // the child's program is minified
    onabort: unknown = null;
    #isAborted = false;
    #reason: unknown;
    readonly #listeners = new Map<unknown, { isOnce: boolean }>();
    readonly #dependents: AbortSignal[] = [];

    static {
      abortSignal = (signal, reason) => signal.#abort(reason);
    }

    constructor(key?: unknown) {
      if (key !== KEY) throw new TypeError('Illegal constructor');
    }

    static abort(reason?: unknown): AbortSignal {
      const signal = new AbortSignal(KEY);
      signal.#abort(reason);
      return signal;
    }
    static timeout(ms: unknown): AbortSignal {
      const signal = new AbortSignal(KEY);
      const expire = (): void =>
        signal.#abort(named('TimeoutError', 'The operation was aborted due to timeout'));
      wake(expire, Number(ms) || 0);
      return signal;
    }
    static any(signals: Iterable<AbortSignal>): AbortSignal {
      const signal = new AbortSignal(KEY);
      const sources = [...signals];
      const first = sources.find((source) => source.#isAborted);
      if (first) signal.#abort(first.#reason);
      else for (const source of sources) source.#dependents.push(signal);
      return signal;
    }

    get aborted(): boolean {
      return this.#isAborted;
    }
    get reason(): unknown {
      return this.#reason;
    }
    throwIfAborted(): void {
      if (this.#isAborted) throw this.#reason;
    }
    addEventListener(type: unknown, listener: unknown, options?: unknown): void {
      if (String(type) !== 'abort' || listener === null || listener === undefined) return;
      const isOnce = Boolean(Reflect.get(Object(options), 'once'));
      if (!this.#listeners.has(listener)) this.#listeners.set(listener, { isOnce });
    }
    removeEventListener(type: unknown, listener: unknown): void {
      if (String(type) === 'abort') this.#listeners.delete(listener);
    }
    get [Symbol.toStringTag](): string {
      return 'AbortSignal';
    }

    #abort(reason: unknown = named('AbortError', 'This operation was aborted')): void {
      if (this.#isAborted) return;
      this.#isAborted = true;
      this.#reason = reason;
      const event = Object.freeze({ type: 'abort', target: this, currentTarget: this });
      const listeners = [...this.#listeners];
      if (this.onabort !== null) listeners.unshift([this.onabort, { isOnce: false }]);
      for (const [listener, { isOnce }] of listeners) {
        if (isOnce) this.#listeners.delete(listener);
        const call = callableOf(listener);
        if (call) enter(() => Reflect.apply(call, this, [event]));
      }
      for (const dependent of this.#dependents) dependent.#abort(reason);
    }
  }

  class AbortController {
    static readonly name = 'AbortController'; // the child's program is minified
    readonly #signal = new AbortSignal(KEY);

    get signal(): AbortSignal {
      return this.#signal;
    }
    abort(reason?: unknown): void {
      abortSignal(this.#signal, reason);
    }
    get [Symbol.toStringTag](): string {
      return 'AbortController';
    }
  }
  return { AbortController, AbortSignal };
}

/** A function, or an object with `handleEvent`. */
function callableOf(listener: unknown): Listener | undefined {
  if (isFunction(listener)) return listener;
  const handle: unknown = Reflect.get(Object(listener), 'handleEvent');
  return isFunction(handle) ? (event) => Reflect.apply(handle, listener, [event]) : undefined;
}

function isFunction(value: unknown): value is Listener {
  return typeof value === 'function';
}

function named(name: string, message: string): Error {
  const error = new Error(message);
  Object.defineProperty(error, 'name', { value: name });
  return error;
}
