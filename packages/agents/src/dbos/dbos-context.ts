import type { Clock } from '@buddy/core';
import { DBOS } from '@dbos-inc/dbos-sdk';
import type {
  ActivityCall,
  ActivityResult,
  ChildHandle,
  ChildResult,
  ChildStart,
  DurableContext,
  Received,
} from '../durable/durable-context.ts';
import type { WorkflowResult } from '../durable/engine.ts';
import { NotJsonError } from '../durable/json-value.ts';
import { restOf } from '../durable/workflow-store.ts';
import { EngineMisuseError } from '../errors.ts';
import { ListenerError } from './fact-pump.ts';
import { isLarge, type Packed } from './large-values.ts';
import { type Mail, MAIL_TOPIC } from './mail.ts';
import { JOIN, runStep } from './runtime.ts';

/** What a workflow needs of the engine that runs it. */
export interface ContextHost {
  readonly isClosed: boolean;
  readonly clock: Clock;
  readonly lookAgainMs: number;
  /** The queue of calls that need a place in this lane; undefined when nothing limits it. */
  laneQueueOf(lane: string | undefined): string | undefined;
  providerQueueOf(provider: string | undefined): string | undefined;
  /** Makes the call here, or recalls what came of it. */
  perform(call: ActivityCall, workflowId: string): Promise<ActivityResult<unknown>>;
  /** Has the call made wherever there is room, or recalls what came of it. */
  carryOut(call: ActivityCall, workflowId: string, queue: string): Promise<ActivityResult<unknown>>;
  warn(error: unknown, workflowId: string): void;
  /** Tells a workflow that the wait of this key is over. */
  remind(key: string, workflowId: string): Promise<void>;
  enqueuePermit(key: string, workflowId: string, queue: string): Promise<void>;
  /** What these begin with, as it is handed to DBOS. */
  takeOutInputs(children: readonly ChildStart[], parentId: string): Promise<readonly string[]>;
  /** @param input As `takeOutInputs` says. */
  enqueueChild(child: ChildStart, version: string, input: string | undefined): Promise<void>;
  /** Cancels a child that the cancellation of its parent may have come too early for. */
  cancelBelow(workflowId: string, childIds: readonly string[]): Promise<void>;
  /** When all have ended. */
  resultsOf(workflowIds: readonly string[]): Promise<readonly WorkflowResult[]>;
  /** What DBOS is handed in the place of what a workflow needs. */
  pack<Value extends object>(value: Value, workflowId: string): Promise<Packed<Value>>;
  unpack<Value extends object>(packed: Packed<Value>): Promise<Value>;
  /** @throws {ListenerError} When one who hears it fails. */
  tell(workflowId: string, key: string, fact: object): Promise<void>;
}

/**
 * One execution of a workflow. Each verb takes a number of DBOS's steps that follows from its arguments and from what steps
 * before have recorded, and from nothing else: DBOS knows steps by their place.
 */
export class DbosContext implements DurableContext {
  readonly id: string;
  /** What went wrong beneath the workflow: it is not the workflow's own failure, and it must not go on. */
  fault: { error: unknown } | undefined;
  readonly #host: ContextHost;
  readonly #version: string;
  readonly #signals = new Map<string, unknown[]>();
  readonly #signalKeys = new Set<string>();
  readonly #permits = new Set<string>();
  readonly #due = new Set<string>();
  #cancelReason: string | undefined;
  #busyWith: string | undefined;

  constructor(host: ContextHost, { id, version }: { id: string; version: string }) {
    this.#host = host;
    this.id = id;
    this.#version = version;
  }

  activity<Value>(call: ActivityCall): Promise<ActivityResult<Value>> {
    return this.#verb(call.key, async () => {
      await this.#waitForPermit(call);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller knows what its tool returns
      return (await this.#carryOut(call)) as ActivityResult<Value>;
    });
  }

  async #waitForPermit(call: ActivityCall): Promise<void> {
    const queue = this.#host.providerQueueOf(call.provider);
    if (queue === undefined || !this.#mayStart(call)) return;
    await this.#host.enqueuePermit(call.key, this.id, queue);
    while (!this.#permits.has(call.key)) await this.#receive(LONG_MS);
  }

  async #carryOut(call: ActivityCall): Promise<ActivityResult<unknown>> {
    const queue = this.#host.laneQueueOf(call.lane);
    if (queue === undefined || !this.#mayStart(call)) {
      return this.#step(call.tool, () => this.#host.perform(call, this.id));
    }
    // Not a step of DBOS: what came of it is kept by key, once and for all.
    const answer = await this.#host.carryOut(call, this.id, queue);
    if (answer.kind === 'cancelled') this.#cancelReason ??= answer.failure.message;
    return answer;
  }

  /** A step whose failure is not kept by DBOS: what goes wrong beneath a call is nothing that a replay should find again. */
  async #step<Value extends object>(name: string, work: () => Promise<Value>): Promise<Value> {
    const broken = Promise.withResolvers<never>();
    let made: Value | undefined;
    const guarded = async () => {
      try {
        made = await work();
        return await this.#host.pack(made, this.id);
      } catch (error) {
        broken.reject(error);
        return forever();
      }
    };
    const packed = await Promise.race([runStep(name, guarded), broken.promise]);
    return isLarge(packed) && made ? made : this.#host.unpack(packed);
  }

  #mayStart({ evenIfCancelled }: ActivityCall): boolean {
    return evenIfCancelled === true || this.#cancelReason === undefined;
  }

  sleep(key: string, ms: number): Promise<'slept' | 'cancelled'> {
    return this.#verb(key, async () => {
      if (this.#cancelReason !== undefined) return 'cancelled';
      const wait = await this.#beginWait(key, ms);
      while (await this.#receiveUntil(wait)) {
        if (this.#cancelReason !== undefined) return 'cancelled';
        if (this.#due.has(key)) return 'slept';
      }
      return 'slept';
    });
  }

  now(key: string): Promise<number> {
    return this.#verb(key, () => DBOS.now());
  }

  waitFor<Value>(
    topic: string,
    { key, timeoutMs }: { key: string; timeoutMs: number },
  ): Promise<Received<Value>> {
    return this.#verb<Received<Value>>(key, async () => {
      const wait = await this.#beginWait(key, timeoutMs);
      for (;;) {
        const waiting = this.#signals.get(topic) ?? [];
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller knows what is sent under its topic
        if (waiting.length > 0) return { kind: 'received', value: waiting.shift() as Value };
        if (this.#cancelReason !== undefined) return { kind: 'cancelled' };
        if (this.#due.has(key)) return { kind: 'timed_out' };
        if (!(await this.#receiveUntil(wait))) return { kind: 'timed_out' };
      }
    });
  }

  spawnAll(children: readonly ChildStart[]): Promise<readonly ChildHandle[]> {
    return this.#verb('spawnAll', async () => {
      for (let at = 0; at < children.length; at += SPAWN_AT_ONCE) {
        const some = children.slice(at, at + SPAWN_AT_ONCE);
        // Before the first of them: their steps are numbered in the order in which they are asked for.
        const inputs = await this.#host.takeOutInputs(some, this.id);
        await Promise.all(
          some.map((child, nth) => this.#host.enqueueChild(child, this.#version, inputs[nth])),
        );
      }
      const handles = children.map(({ id }) => ({ id }));
      await this.#host.cancelBelow(
        this.id,
        handles.map(({ id }) => id),
      );
      return handles;
    });
  }

  joinAll<Value>(children: readonly ChildHandle[]): Promise<readonly ChildResult<Value>[]> {
    return this.#verb('joinAll', async () => {
      if (children.length === 0) return [];
      const ids = children.map(({ id }) => id);
      const results = await this.#step(JOIN, () => this.#host.resultsOf(ids));
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller knows what its workflows return
      return results as ChildResult<Value>[];
    });
  }

  emit(key: string, fact: object): Promise<void> {
    // Kept once per key by itself, so DBOS need not keep that it was.
    return this.#verb(key, async () => this.#host.tell(this.id, key, fact));
  }

  async #beginWait(key: string, delayMs: number): Promise<Wait> {
    const dueAt = (await DBOS.now()) + delayMs;
    const { clock } = this.#host;
    return { key, dueAt: clock.monotonic() + restOf({ dueAt, delayMs }, clock.now()) };
  }

  /**
   * DBOS waits until a time of day, and somebody may set the clock. So it is asked to wait for ever: when the wait has taken in
   * this process as long as it was meant to, the workflow is reminded of that, as of anything that comes for it.
   * @returns Whether something came.
   */
  async #receiveUntil({ key, dueAt }: Wait): Promise<boolean> {
    const { clock } = this.#host;
    const restMs = dueAt - clock.monotonic();
    if (restMs <= 0) return this.#receive(0);
    const isOver = new AbortController();
    void this.#remindAfter(restMs, key, isOver.signal);
    try {
      return await this.#receive(EVER_MS, restMs + GRACE_MS);
    } finally {
      isOver.abort();
    }
  }

  /** Until it can be told: nothing else ends the wait. */
  async #remindAfter(ms: number, key: string, isOver: AbortSignal): Promise<void> {
    const { clock } = this.#host;
    for (let restMs = ms; !isOver.aborted; restMs = REMIND_AGAIN_MS) {
      try {
        await clock.sleep(restMs, isOver);
        return await this.#host.remind(key, this.id);
      } catch (error) {
        if (!isOver.aborted) this.#host.warn(error, this.id);
      }
    }
  }

  /** @returns Whether something came. */
  async #receive(timeoutMs: number, lookAgainMs = Infinity): Promise<boolean> {
    const timeoutSeconds = timeoutMs / 1_000;
    return this.#take(
      await DBOS.recv<Packed<Mail>>(MAIL_TOPIC, {
        timeoutSeconds,
        pollingIntervalMs: Math.min(lookAgainMs, this.#host.lookAgainMs),
      }),
    );
  }

  async #take(packed: Packed<Mail> | null): Promise<boolean> {
    if (packed === null) return false;
    const mail = await this.#host.unpack<Mail>(packed);
    switch (mail.kind) {
      case 'cancel':
        this.#cancelReason ??= mail.reason;
        return true;
      case 'due':
        this.#due.add(mail.key);
        return true;
      case 'permit':
        this.#permits.add(mail.key);
        return true;
      case 'signal': {
        const { topic, key, value } = mail;
        if (this.#signalKeys.has(key)) return true;
        this.#signalKeys.add(key);
        this.#signals.set(topic, [...(this.#signals.get(topic) ?? []), value]);
        return true;
      }
    }
  }

  /** Nothing that goes wrong below is the workflow's business: it is kept for whoever runs it. */
  async #verb<Value>(key: string, work: () => Promise<Value>): Promise<Value> {
    if (this.#host.isClosed) return forever();
    if (this.fault) throw this.fault.error;
    if (this.#busyWith !== undefined) {
      throw new EngineMisuseError(
        `Workflow ${this.id} called ${key} while ${this.#busyWith} was under way; on DBOS a workflow does one thing at a time, so spawn others for what goes on beside`,
      );
    }
    this.#busyWith = key;
    try {
      const value = await work();
      if (this.#host.isClosed) return await forever();
      return value;
    } catch (error) {
      // What is left undone is gone on with by another process.
      if (this.#host.isClosed) return await forever();
      if (error instanceof ListenerError) throw error.cause;
      const isOwn = error instanceof EngineMisuseError || error instanceof NotJsonError;
      if (!isOwn) this.fault = { error };
      throw error;
    } finally {
      this.#busyWith = undefined;
    }
  }
}

interface Wait {
  key: string;
  /** On the monotonic clock of this process. */
  dueAt: number;
}

/** A hundred years: without a timeout DBOS waits for a minute. */
const EVER_MS = 3_155_760_000_000;
const REMIND_AGAIN_MS = 1_000;
/** So much later a short wait ends when the notification of its reminder is lost. */
const GRACE_MS = 1_000;

/** Of a wait that has no end of its own; it begins again. */
const LONG_MS = 3_600_000;
/** As many as do not starve the connections. */
const SPAWN_AT_ONCE = 8;

export function forever(): Promise<never> {
  return new Promise(() => undefined);
}
