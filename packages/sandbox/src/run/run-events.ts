import type { EventEmitter } from 'eventemitter3';
import type { Violation } from '../violations/violation.ts';
import type { CallRecord, LogLine, RunResult } from './result.ts';

export interface SandboxEvents {
  console: [event: LogLine & { executionId: string; at: number }];
  toolCallStarted: [event: { executionId: string; call: CallRecord; at: number }];
  toolCallEnded: [event: { executionId: string; call: CallRecord; at: number }];
  violated: [event: { executionId: string; violation: Violation; at: number }];
  runEnded: [
    event: { executionId: string; status: RunResult['status']; result: RunResult; at: number },
  ];
}

/** Tells whoever wants to know of one thing that happened. */
export type Tell = <Name extends keyof SandboxEvents>(
  name: Name,
  event: SandboxEvents[Name][0],
) => void;

/** A listener that throws must not break the run it listens to; its error goes where uncaught errors go. */
export function tellListeners<Name extends keyof SandboxEvents>(
  events: EventEmitter<SandboxEvents>,
  name: Name,
  event: SandboxEvents[Name][0],
): void {
  for (const listener of events.listeners(name)) {
    try {
      Reflect.apply(listener, events, [event]);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
