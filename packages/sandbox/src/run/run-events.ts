import type { EventEmitter } from 'eventemitter3';
import type { Violation } from '../violations/violation.ts';
import type { CallRecord, LogLine, RunResult } from './result.ts';

interface Of {
  executionId: string;
  /** When, in ms since the Unix epoch, by the sandbox's clock. */
  at: number;
}

export interface SandboxEvents {
  console: [event: Of & LogLine];
  toolCallStarted: [event: Of & { call: CallRecord }];
  toolCallEnded: [event: Of & { call: CallRecord }];
  violated: [event: Of & { violation: Violation }];
  runEnded: [event: Of & { status: RunResult['status']; result: RunResult }];
}

/** The same events, of one run and as one union; the last is `runEnded`. */
export type RunEvent<Value = unknown> =
  | { [Name in keyof Ongoing]: { type: Name } & Ongoing[Name][0] }[keyof Ongoing]
  | (Of & { type: 'runEnded'; status: RunResult['status']; result: RunResult<Value> });

type Ongoing = Omit<SandboxEvents, 'runEnded'>;

/** Takes in one thing that happened. */
export type Tell = (event: RunEvent) => void;

/** A listener that throws must not break the run it listens to; its error goes where uncaught errors go. */
export function tellListeners(
  events: EventEmitter<SandboxEvents>,
  { type, ...event }: RunEvent,
): void {
  for (const listener of events.listeners(type)) {
    try {
      Reflect.apply(listener, events, [event]);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
