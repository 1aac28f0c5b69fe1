import type { Clock } from '@buddy/core';
import type { Engine, Registration } from '../durable/engine.ts';

/** One process of an engine, while it lives. */
export interface EngineProcess {
  /** Registered and opened. */
  engine: Engine;
  clock: Clock;
  /** What `open` said. */
  resumed: number;
}

/** Where an engine keeps what it does; nothing is in it at first. */
export interface EnginePlace {
  /**
   * Registers, opens and does `work` in a process, and closes the engine when that has resolved, whatever is under way. Each call
   * is another process over the same place, `afterMs` after the one before (default 0).
   */
  run<Result>(
    setUp: (clock: Clock) => Partial<Registration> | readonly Partial<Registration>[],
    work: (process: EngineProcess) => Promise<Result>,
    options?: { afterMs?: number },
  ): Promise<Result>;
  /** Removes what is left. */
  remove?(): Promise<void>;
}

/** What is to be registered, whole. */
export function registrationsOf(
  registrations: Partial<Registration> | readonly Partial<Registration>[],
): Registration[] {
  return [registrations].flat().map((one) => ({ workflows: {}, tools: [], lanes: {}, ...one }));
}
