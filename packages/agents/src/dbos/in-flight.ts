import type { Interruptible } from '../durable/activity.ts';

/** Calls that this process makes, by the workflows that asked for them. */
export class InFlight {
  readonly #byWorkflow = new Map<string, Set<CallInFlight>>();

  enter(workflowId: string): CallInFlight {
    const calls = this.#byWorkflow.get(workflowId) ?? new Set<CallInFlight>();
    this.#byWorkflow.set(workflowId, calls);
    const call = new CallInFlight(() => {
      calls.delete(call);
      if (calls.size === 0) this.#byWorkflow.delete(workflowId);
    });
    calls.add(call);
    return call;
  }

  has(workflowId: string): boolean {
    return this.#byWorkflow.has(workflowId);
  }

  workflowIds(): string[] {
    return [...this.#byWorkflow.keys()];
  }

  cancel(workflowId: string, reason: string): void {
    for (const call of this.#byWorkflow.get(workflowId) ?? []) call.cancel(reason);
  }
}

/** One of them, from before it is known whether it is to be made at all. */
export class CallInFlight {
  readonly interrupts = new Set<Interruptible>();
  /** Also when it came before there was anything to interrupt. */
  cancelReason: string | undefined;
  /** To be called when the call is over. */
  readonly leave: () => void;

  constructor(leave: () => void) {
    this.leave = leave;
  }

  cancel(reason: string): void {
    this.cancelReason ??= reason;
    for (const one of this.interrupts) one.interrupt(reason);
  }
}
