import type { Clock, FailureDescription, Tool } from '@buddy/core';
import type { ActivityCall, ActivityResult } from './durable-context.ts';
import { asJson, NotJsonError } from './json-value.ts';
import { LOST, notJson, poisonous } from './refusals.ts';
import type { StoredWorkflow, WorkflowStore } from './workflow-store.ts';

interface KeptCallsHost {
  readonly registry: { readonly tools: ReadonlyMap<string, Tool> };
  readonly clock: Clock;
  /** So often may a call end its process before it is called no more. */
  readonly poisonAfter: number;
}

/** What the store is told of the calls of one workflow, so that a process after this one makes none that it must not make. */
export class KeptCalls {
  readonly #id: string;
  readonly #host: KeptCallsHost;
  readonly #store: WorkflowStore;
  /** How often each was begun by a process that never told of it again. */
  readonly #lost: StoredWorkflow['intended'] | undefined;
  /** As in `Past`, and it has made no call since. */
  #isSuspect: boolean;

  constructor(
    id: string,
    host: KeptCallsHost,
    store: WorkflowStore,
    past: { stored: StoredWorkflow; isSuspect: boolean } | undefined,
  ) {
    this.#id = id;
    this.#host = host;
    this.#store = store;
    this.#lost = past?.stored.intended;
    this.#isSuspect = past?.isSuspect ?? false;
  }

  /** Undefined while a call may be made; else resolves when it may be. */
  stalled(): Promise<void> | undefined {
    return this.#store.stalled();
  }

  /**
   * What has to be on disk before a call is made: that it will be, when it must not be made twice, or may be what ended the
   * process before.
   * @returns What came of it instead, when it is not to be made.
   */
  async prepare<Value>(call: ActivityCall): Promise<ActivityResult<Value> | undefined> {
    const isOnce = this.#host.registry.tools.get(call.tool)?.effect === 'once';
    if (!isOnce && !this.#isSuspect) return undefined;
    const tries = this.#lost?.get(call.key) ?? 0;
    if (isOnce && tries > 0) return this.#refused(LOST);
    if (tries >= this.#host.poisonAfter) return this.#refused(poisonous(tries));
    await this.#store.keep({ kind: 'intended', id: this.#id, key: call.key, tries: tries + 1 });
    return undefined;
  }

  /** @returns What a process after this one recalls of the call, and when that will not be lost. */
  keep<Value>(
    call: ActivityCall,
    came: ActivityResult<Value>,
  ): { result: ActivityResult<Value>; kept: Promise<void> } {
    this.#isSuspect = false;
    const { text, value: result } = this.#asKept(call, came);
    const kept = this.#store.keep({
      kind: 'recorded',
      id: this.#id,
      at: this.#host.clock.now(),
      key: call.key,
      value: text,
      tool: call.tool,
    });
    return { result, kept };
  }

  #asKept<Value>(call: ActivityCall, came: ActivityResult<Value>) {
    try {
      return asJson(came, `What ${call.tool} answered`);
    } catch (error) {
      if (!(error instanceof NotJsonError)) throw error;
      return asJson(this.#refused<Value>(notJson(error.message)), 'A refusal');
    }
  }

  #refused<Value>(failure: FailureDescription): ActivityResult<Value> {
    const at = this.#host.clock.now();
    return { kind: 'failed', failure, startedAt: at, endedAt: at };
  }
}
