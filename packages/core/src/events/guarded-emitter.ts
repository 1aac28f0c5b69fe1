import { EventEmitter } from 'eventemitter3';

/** The right to emit, apart from the emitter that listeners get to see. */
export interface GuardedEmitter<Events extends EventEmitter.ValidEventTypes> {
  events: EventEmitter<Events>;
  /** Never throws. */
  emit: <Name extends EventEmitter.EventNames<Events>>(
    name: Name,
    ...event: EventEmitter.EventArgs<Events, Name>
  ) => void;
}

/**
 * An emitter whose listeners break neither the work of whoever emits nor each other: what one throws, or rejects with
 * when it is asynchronous, goes to `onListenerError`, and the others are called all the same. Nobody waits for an
 * asynchronous listener.
 * @example
 * const { events, emit } = createGuardedEmitter<{ done: [event: { at: number }] }>((error, event) =>
 *   logger.error({ err: error, event }, 'A listener threw'),
 * );
 */
export function createGuardedEmitter<Events extends EventEmitter.ValidEventTypes>(
  onListenerError: (error: unknown, event: EventEmitter.EventNames<Events>) => void,
): GuardedEmitter<Events> {
  const events = new GuardingEmitter<Events>(onListenerError);
  return {
    events,
    emit: (name, ...event) => {
      events.emit(name, ...event);
    },
  };
}

type Listener<
  Events extends EventEmitter.ValidEventTypes,
  Name extends EventEmitter.EventNames<Events>,
> = EventEmitter.EventListener<Events, Name>;

/**
 * Puts a guard around each listener when it is added, so that emitting costs one more call and `once`, contexts and
 * removal while emitting stay the library's.
 */
class GuardingEmitter<Events extends EventEmitter.ValidEventTypes> extends EventEmitter<Events> {
  readonly #onListenerError: (error: unknown, event: EventEmitter.EventNames<Events>) => void;
  /** The listener in each guard. */
  readonly #guarded = new WeakMap<object, unknown>();

  constructor(onListenerError: (error: unknown, event: EventEmitter.EventNames<Events>) => void) {
    super();
    this.#onListenerError = onListenerError;
  }

  override on<Name extends EventEmitter.EventNames<Events>>(
    name: Name,
    listener: Listener<Events, Name>,
    context?: unknown,
  ): this {
    return super.on(name, this.#guard(name, listener), context);
  }

  override addListener<Name extends EventEmitter.EventNames<Events>>(
    name: Name,
    listener: Listener<Events, Name>,
    context?: unknown,
  ): this {
    return this.on(name, listener, context);
  }

  override once<Name extends EventEmitter.EventNames<Events>>(
    name: Name,
    listener: Listener<Events, Name>,
    context?: unknown,
  ): this {
    return super.once(name, this.#guard(name, listener), context);
  }

  /** The library calls this too, with the guard, when a listener of `once` has had its turn. */
  override removeListener<Name extends EventEmitter.EventNames<Events>>(
    name: Name,
    listener?: Listener<Events, Name>,
    context?: unknown,
    once?: boolean,
  ): this {
    const guard = listener && (this.#guardOf(name, listener) ?? listener);
    return super.removeListener(name, guard, context, once);
  }

  override off<Name extends EventEmitter.EventNames<Events>>(
    name: Name,
    listener?: Listener<Events, Name>,
    context?: unknown,
    once?: boolean,
  ): this {
    return this.removeListener(name, listener, context, once);
  }

  override listeners<Name extends EventEmitter.EventNames<Events>>(
    name: Name,
  ): Listener<Events, Name>[] {
    return super.listeners(name).map((guard) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is in a guard is of the guard's type
      return this.#guarded.get(guard) as Listener<Events, Name>;
    });
  }

  #guard<Name extends EventEmitter.EventNames<Events>>(
    name: Name,
    listener: Listener<Events, Name>,
  ): Listener<Events, Name> {
    if (typeof listener !== 'function') return listener; // the library says what is wrong with it
    const known = this.#guardOf(name, listener);
    if (known) return known;
    const report = (error: unknown) => this.#onListenerError(error, name);
    const guard = function (this: unknown, ...event: unknown[]): void {
      try {
        const result: unknown = Reflect.apply(listener, this, event);
        if (isThenable(result)) Promise.resolve(result).catch(report);
      } catch (error) {
        report(error);
      }
    };
    this.#guarded.set(guard, listener);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it hands on whatever it is called with
    return guard as Listener<Events, Name>;
  }

  /** A listener that is added twice has one guard, so that removing it removes both. */
  #guardOf<Name extends EventEmitter.EventNames<Events>>(
    name: Name,
    listener: Listener<Events, Name>,
  ): Listener<Events, Name> | undefined {
    return super.listeners(name).find((guard) => this.#guarded.get(guard) === listener);
  }
}

function isThenable(result: unknown): result is PromiseLike<unknown> {
  return (
    typeof result === 'object' &&
    result !== null &&
    'then' in result &&
    typeof result.then === 'function'
  );
}
