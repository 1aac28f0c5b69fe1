import { type Clock, describeFailure, type Logger, type NewId } from '@buddy/core';
import { DBOS, Error as dbosErrors } from '@dbos-inc/dbos-sdk';
import type { Deadlines } from '../durable/deadlines.ts';
import type { ActivityCall, ActivityResult, ChildStart } from '../durable/durable-context.ts';
import type { WorkflowResult } from '../durable/engine.ts';
import type { Registrations } from '../durable/registrations.ts';
import { fromJournal, toJournal } from '../durable/workflow-store.ts';
import { EngineMisuseError } from '../errors.ts';
import { makeCall, type PlacedCall } from './call.ts';
import { cancelAll } from './cancellation.ts';
import type { Connection } from './connection.ts';
import { type ContextHost, DbosContext, forever } from './dbos-context.ts';
import { EngineStorageReadError } from './errors.ts';
import type { Packed } from './large-values.ts';
import { type Mail, MAIL_TOPIC } from './mail.ts';
import type { DbosEngineOptions } from './options.ts';
import { laneQueue, providerQueue } from './queues.ts';
import type { Executor } from './runtime.ts';
import { BARE, type KeptResult, PAGE, resultsOf, toKept } from './views.ts';
import { enqueueOptions } from './workflow-options.ts';

/** What this process does for the workflows and calls that it has taken. */
export class Worker implements Executor, ContextHost {
  readonly lookAgainMs: number;
  readonly #options: DbosEngineOptions;
  readonly #registered: Registrations;
  readonly #connection: Connection;
  readonly #ports: WorkerPorts;
  /** Executions of what DBOS runs here, by its ids: one that was given back may be here twice for a while. */
  readonly #atWork = new Map<string, number>();

  constructor(
    options: DbosEngineOptions,
    registered: Registrations,
    connection: Connection,
    ports: WorkerPorts,
  ) {
    this.lookAgainMs = options.lookAgainMs;
    this.#options = options;
    this.#registered = registered;
    this.#connection = connection;
    this.#ports = ports;
  }

  get isClosed(): boolean {
    return this.#ports.signal.aborted;
  }

  isAtWork(id: string): boolean {
    return this.#atWork.has(id);
  }

  // What DBOS runs.

  runWorkflow(name: string, version: string, input: unknown): Promise<KeptResult> {
    return this.#work(async (id) => {
      const { large } = this.#connection;
      const [text = ''] = await large.putIn([String(input)]);
      const context = new DbosContext(this, { id, version });
      const result = await this.#settle(context, name, version, text);
      if (context.fault) throw context.fault.error;
      return toKept(result, await large.pack(result, { workflowId: id, as: 'result' }));
    });
  }

  async #settle(
    context: DbosContext,
    name: string,
    version: string,
    input: string,
  ): Promise<WorkflowResult> {
    try {
      const workflow = this.#registered.find(name, version);
      const value = await workflow(context, fromJournal<never>(input));
      return fromJournal<WorkflowResult>(toJournal({ kind: 'completed', value: value ?? null }));
    } catch (error) {
      return { kind: 'failed', failure: describeFailure(error) };
    }
  }

  /** What comes of it is kept by its key, and what was kept is not made again: DBOS need not keep it too. */
  runCall(packed: Packed<ActivityCall>, workflowId: string): Promise<void> {
    return this.#work(async (id) => {
      const call = await this.#read(packed, { workflowId, runBy: id });
      if (!call) return;
      const answer = await this.#make({ call, workflowId, runBy: id });
      this.#connection.answers.give(workflowId, call.key, answer); // others are notified
    });
  }

  /** @returns Undefined when whoever asked for it has been compacted, with what it was to be made with: nobody waits for it. */
  async #read(
    packed: Packed<ActivityCall>,
    { workflowId, runBy }: { workflowId: string; runBy: string },
  ): Promise<ActivityCall | undefined> {
    const { books, large } = this.#connection;
    try {
      return await large.unpack<ActivityCall>(packed);
    } catch (error) {
      if (!(error instanceof EngineStorageReadError)) throw error;
      const { isCompacted } = await books.askBefore({ workflowId, key: '', runBy });
      if (isCompacted) return undefined;
      throw error;
    }
  }

  runPermit(key: string, workflowId: string): Promise<void> {
    return this.#work(async () => {
      const mail: Mail = { kind: 'permit', key };
      await this.#connection.client.send(workflowId, mail, MAIL_TOPIC, `permit/${key}`);
    });
  }

  /**
   * What goes wrong beneath a workflow is not its end: this execution of it is given up, and a sweep lets it go on. DBOS knows
   * its own errors.
   */
  async #work<Value>(work: (id: string) => Promise<Value>): Promise<Value> {
    const id = DBOS.workflowID ?? '';
    const { logger } = this.#ports;
    this.#atWork.set(id, (this.#atWork.get(id) ?? 0) + 1);
    try {
      const value = await work(id);
      return this.isClosed ? await forever() : value;
    } catch (error) {
      if (this.isClosed) return await forever();
      if (error instanceof dbosErrors.DBOSError) throw error;
      logger.warn({ err: error, id }, 'A workflow could not go on here; it will be tried again');
      // As if another had taken it: DBOS forgets this execution, which else would take up one of `callsAtOnce` for ever.
      throw new dbosErrors.DBOSWorkflowConflictError(id);
    } finally {
      const others = (this.#atWork.get(id) ?? 1) - 1;
      if (others > 0) this.#atWork.set(id, others);
      else this.#atWork.delete(id);
    }
  }

  // What workflows ask for.

  laneQueueOf(lane: string | undefined): string | undefined {
    const width = lane === undefined ? undefined : this.#registered.lanes.get(lane);
    return width === undefined ? undefined : laneQueue(this.#options.name, width);
  }

  providerQueueOf(provider: string | undefined): string | undefined {
    const isLimited = provider !== undefined && this.#registered.providers.has(provider);
    return isLimited ? providerQueue(this.#options.name, provider) : undefined;
  }

  perform(call: ActivityCall, workflowId: string): Promise<ActivityResult<unknown>> {
    return this.#make({ call, workflowId, runBy: workflowId });
  }

  async carryOut(
    call: ActivityCall,
    workflowId: string,
    queue: string,
  ): Promise<ActivityResult<unknown>> {
    const { answers, enqueuing } = this.#connection;
    const answer = answers.expect(workflowId, call.key);
    const recorded = await enqueuing.enqueueCall({ call, workflowId, queue });
    if (recorded) answers.give(workflowId, call.key, recorded);
    return answer;
  }

  get clock(): Clock {
    return this.#ports.clock;
  }

  warn(error: unknown, workflowId: string): void {
    this.#ports.logger.warn({ err: error, id: workflowId }, 'A workflow could not be reminded');
  }

  async remind(key: string, workflowId: string): Promise<void> {
    if (this.isClosed) return;
    const mail: Mail = { kind: 'due', key };
    await this.#connection.client.send(workflowId, mail, MAIL_TOPIC, `due/${key}`);
  }

  async enqueuePermit(key: string, workflowId: string, queue: string): Promise<void> {
    await this.#connection.enqueuing.enqueuePermit({ key, workflowId, queue });
  }

  /** Kept for the parent: should a child of that id be there already, the parent's compaction removes what was kept in vain. */
  takeOutInputs(children: readonly ChildStart[], parentId: string): Promise<string[]> {
    return this.#connection.large.takeOut(
      children.map(({ input }) => ({
        text: toJournal(input),
        use: { workflowId: parentId, as: 'entry' },
      })),
    );
  }

  async enqueueChild(
    { id, workflow }: ChildStart,
    version: string,
    input: string | undefined,
  ): Promise<void> {
    this.#registered.find(workflow, version);
    const options = enqueueOptions(this.#options.name, { id, workflow, version });
    try {
      await DBOS.enqueueWorkflowWithOptions(options, version, input);
    } catch (error) {
      if (!dbosErrors.isWorkflowIDInUseError(error)) throw error;
      throw new EngineMisuseError(`A workflow with id ${id} is there already`);
    }
  }

  async cancelBelow(workflowId: string, childIds: readonly string[]): Promise<void> {
    const { client, books } = this.#connection;
    const reason = (await books.cancelReasons([workflowId])).get(workflowId);
    if (reason === undefined) return;
    for (let at = 0; at < childIds.length; at += PAGE) {
      const workflowIDs = childIds.slice(at, at + PAGE);
      await cancelAll(
        this.#connection,
        await client.listWorkflows({ ...BARE, workflowIDs }),
        reason,
      );
    }
  }

  resultsOf(ids: readonly string[]): Promise<WorkflowResult[]> {
    return resultsOf(this.#connection, ids, {
      ...this.#ports,
      pollMs: this.#options.pollMs,
    });
  }

  pack<Value extends object>(value: Value, workflowId: string): Promise<Packed<Value>> {
    return this.#connection.large.pack(value, { workflowId, as: 'entry' });
  }

  unpack<Value extends object>(packed: Packed<Value>): Promise<Value> {
    return this.#connection.large.unpack(packed);
  }

  async tell(workflowId: string, key: string, fact: object): Promise<void> {
    const { books, facts } = this.#connection;
    await facts.tell(workflowId, key, async () => {
      const { seq } = await books.keep({ kind: 'told', workflowId, key, value: fact });
      return seq;
    });
  }

  #make(placed: PlacedCall): Promise<ActivityResult<unknown>> {
    const { books, presence, inFlight } = this.#connection;
    return makeCall(placed, {
      ...this.#ports,
      books,
      tools: this.#registered.tools,
      poisonAfter: this.#options.poisonAfter,
      freshMs: Math.max(this.#options.deadAfterMs, LEAST_FRESH_MS),
      enter: (id) => inFlight.enter(id),
      seen: () => presence.seen(),
    });
  }
}

export interface WorkerPorts {
  clock: Clock;
  logger: Logger;
  newId: NewId;
  deadlines: Deadlines;
  /** Aborted when the engine is closed. */
  signal: AbortSignal;
}

/** An answer of Postgres may take this long without the process having stood still. */
const LEAST_FRESH_MS = 200;
