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
 * An emitter whose listeners cannot break the work of whoever emits: what one throws goes to `onListenerError`, and the
 * listeners after it are not called for that event.
 * @example
 * const { events, emit } = createGuardedEmitter<{ done: [event: { at: number }] }>((error, event) =>
 *   logger.error({ err: error, event }, 'A listener threw'),
 * );
 */
export function createGuardedEmitter<Events extends EventEmitter.ValidEventTypes>(
  onListenerError: (error: unknown, event: EventEmitter.EventNames<Events>) => void,
): GuardedEmitter<Events> {
  const events = new EventEmitter<Events>();
  return {
    events,
    emit: (name, ...event) => {
      try {
        events.emit(name, ...event);
      } catch (error) {
        onListenerError(error, name);
      }
    },
  };
}
