import {
  type Clock,
  describeFailure,
  type Logger,
  type NewId,
  parseOrThrow,
  randomId,
  silentLogger,
  systemClock,
  type Tool,
} from '@buddy/core';
import { DBOS, DBOSClient, Error as dbosErrors, type WorkflowStatus } from '@dbos-inc/dbos-sdk';
import pg from 'pg';
import type { Interruptible } from '../durable/activity.ts';
import { Deadlines } from '../durable/deadlines.ts';
import type {
  ActivityCall,
  ActivityResult,
  ChildStart,
  Workflow,
} from '../durable/durable-context.ts';
import type { Engine, Registration, WorkflowResult, WorkflowView } from '../durable/engine.ts';
import type { RateLimitOptions } from '../durable/rate-limit.ts';
import { fromJournal, type HistoryEntry, toJournal } from '../durable/workflow-store.ts';
import { EngineMisuseError } from '../errors.ts';
import { Books, openTables } from './books.ts';
import { type InFlight, makeCall } from './call.ts';
import { type ContextHost, DbosContext, forever } from './dbos-context.ts';
import { FactPump } from './fact-pump.ts';
import { type Mail, MAIL_TOPIC } from './mail.ts';
import { type DbosEngineInput, DbosEngineOptions } from './options.ts';
import { Presence } from './presence.ts';
import { laneQueue, openQueues, PROTOCOL, providerQueue, workflowQueue } from './queues.ts';
import { CALL, CLASS, type Executor, launch, loggerFor, PERMIT, shutDown } from './runtime.ts';
import { Sweeper } from './sweep.ts';

export interface DbosEnginePorts {
  clock?: Clock;
  logger?: Logger;
  /** Names this process to the others; a new name each time it starts. */
  newId?: NewId;
}

/**
 * An engine over DBOS on Postgres: what it runs is shared by all processes whose engines have the same database, and goes on
 * while one of them lives. Needs `@dbos-inc/dbos-sdk` and `pg`. One such engine runs workflows in a process at a time.
 * @example
 * const engine = createDbosEngine({ databaseUrl: 'postgres://buddy:secret@db.internal:5432/buddy' });
 * engine.register({ workflows: { greet: async (ctx) => ctx.now('start') }, tools: [], lanes: {} });
 * await engine.open(); // from now on this process takes its part
 * await engine.start('greeting-1', 'greet', null);
 * await engine.result('greeting-1'); // { kind: 'completed', value: 1767225600000 }
 * @throws {InvalidInputError} When an option does not fit.
 */
export function createDbosEngine(
  input: DbosEngineInput,
  { clock = systemClock, logger = silentLogger, newId = randomId('process') }: DbosEnginePorts = {},
): Engine {
  const options = parseOrThrow(DbosEngineOptions, input, 'options of createDbosEngine');
  return new DbosEngine(options, { clock, logger, newId });
}

/** What there is while the engine is connected. */
interface Connection {
  client: DBOSClient;
  pool: pg.Pool;
  books: Books;
  presence: Presence;
  facts: FactPump;
  sweeper: Sweeper;
}

class DbosEngine implements Engine, Executor, ContextHost {
  readonly isDurable = true;
  readonly pollMs: number;
  readonly lookAgainMs: number;
  isClosed = false;
  readonly #options: DbosEngineOptions;
  /** Of the workflows of this name, in questions to DBOS. */
  readonly #ours: { applicationName: string; attributes: Record<string, unknown> };
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #processId: string;
  readonly #deadlines: Deadlines;
  /** By version, then by name. */
  readonly #workflows = new Map<string, Map<string, Workflow>>();
  #version = DEFAULT_VERSION;
  readonly #tools = new Map<string, Tool>();
  readonly #lanes = new Map<string, number>();
  readonly #providers = new Map<string, RateLimitOptions>();
  /** What DBOS runs here, by its ids. */
  readonly #atWork = new Set<string>();
  readonly #newId: NewId;
  readonly #inFlight = new Map<string, { interrupts: Set<Interruptible>; calls: number }>();
  /** Those who listen, and how they leave; there is nothing to leave before there is a connection. */
  readonly #listeners = new Map<(fact: object, at: number) => void, (() => void) | undefined>();
  readonly #stop = new AbortController();
  #connecting: Promise<Connection> | undefined;
  #connection: Connection | undefined;
  #launching: Promise<void> | undefined;
  #sweeping: Promise<void> | undefined;

  constructor(options: DbosEngineOptions, { clock, logger, newId }: Required<DbosEnginePorts>) {
    this.#options = options;
    this.#ours = { applicationName: options.name, attributes: ATTRIBUTES };
    this.pollMs = options.pollMs;
    this.lookAgainMs = options.lookAgainMs;
    this.#clock = clock;
    this.#logger = logger;
    this.#newId = newId;
    this.#processId = newId();
    this.#deadlines = new Deadlines(clock);
  }

  register({
    workflows,
    tools,
    lanes,
    providers = {},
    version = DEFAULT_VERSION,
  }: Registration): void {
    if (this.#launching) {
      throw new EngineMisuseError(
        'Register before open() and start(): DBOS learns of workflows when it is launched',
      );
    }
    this.#version = version;
    const named = this.#workflows.get(version) ?? new Map<string, Workflow>();
    this.#workflows.set(version, named);
    for (const [name, workflow] of Object.entries(workflows)) named.set(name, workflow);
    for (const tool of tools) {
      const known = this.#tools.get(tool.name);
      if (known && known !== tool) throw new EngineMisuseError(`Two tools are named ${tool.name}`);
      this.#tools.set(tool.name, tool);
    }
    for (const [lane, width] of Object.entries(lanes)) this.#lanes.set(lane, width);
    for (const [name, limit] of Object.entries(providers)) this.#providers.set(name, limit);
  }

  async open(): Promise<{ resumed: number }> {
    const { client, facts } = await this.#connect();
    await facts.ready();
    const unfinished = await client.listWorkflows({ ...this.#ours, status: RUNNING, ...BARE });
    await this.#launch();
    return { resumed: unfinished.length };
  }

  async start(id: string, workflow: string, input: unknown): Promise<{ created: boolean }> {
    this.#find(workflow, this.#version);
    const { client, facts } = await this.#connect();
    await facts.ready();
    await this.#launch();
    try {
      await client.enqueue(
        {
          ...this.#enqueueOptions(id, workflow, this.#version),
          applicationName: this.#options.name,
        },
        this.#version,
        toJournal(input),
      );
      return { created: true };
    } catch (error) {
      if (dbosErrors.isWorkflowIDInUseError(error)) return { created: false };
      throw error;
    }
  }

  async signal(id: string, topic: string, value: unknown, { key }: { key: string }): Promise<void> {
    const { client } = await this.#connect();
    await this.#statusOf(id);
    const mail: Mail = { kind: 'signal', topic, key, value: value ?? null };
    await client.send(id, mail, MAIL_TOPIC, `signal/${key}`);
  }

  async cancel(id: string, reason: string): Promise<void> {
    const root = await this.#statusOf(id);
    await this.#cancelAll([root], reason);
  }

  /** First that it is cancelled, then what is below: so whoever spawns meanwhile either is seen here or sees it. */
  async #cancelAll(roots: readonly WorkflowStatus[], reason: string): Promise<void> {
    const { client, books } = await this.#connect();
    let level = roots;
    while (level.length > 0) {
      const ids = level.flatMap(({ workflowID, status }) =>
        UNFINISHED.has(status) ? [workflowID] : [],
      );
      await books.cancel(ids, reason);
      const mail: Mail = { kind: 'cancel', reason };
      for (const id of ids) await client.send(id, mail, MAIL_TOPIC, 'cancel');
      level = await client.listWorkflows({
        ...this.#ours,
        ...BARE,
        parentWorkflowID: level.map(({ workflowID }) => workflowID),
      });
    }
  }

  async result(id: string): Promise<WorkflowResult> {
    await this.#statusOf(id);
    try {
      return await this.resultOf(id);
    } catch (error) {
      if (this.isClosed) return forever(); // it has not ended, as far as anybody here will ever know
      throw error;
    }
  }

  async *list(): AsyncIterable<WorkflowView> {
    const { client, books } = await this.#connect();
    for (let offset = 0; ; offset += PAGE) {
      const page = await client.listWorkflows({
        ...this.#ours,
        loadInput: false,
        offset,
        limit: PAGE,
      });
      const reasons = await books.cancelReasons(page.map(({ workflowID }) => workflowID));
      for (const status of page) yield viewOf(status, reasons.get(status.workflowID) ?? null);
      if (page.length < PAGE) return;
    }
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as the port has it
  subscribe<Fact extends object>(listener: (fact: Fact, at: number) => void): () => void {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller knows what facts its workflows tell
    const hear = (fact: object, at: number) => listener(fact as Fact, at);
    this.#listeners.set(hear, this.#connection?.facts.subscribe(hear));
    return () => {
      this.#listeners.get(hear)?.();
      this.#listeners.delete(hear);
    };
  }

  async *history<Fact, Recorded>(after = 0): AsyncIterable<HistoryEntry<Fact, Recorded>> {
    const { books } = await this.#connect();
    const latest = await books.latest();
    for (let seen = after; ;) {
      const entries = await books.entries(seen, latest);
      if (entries.length === 0) return;
      for (const entry of entries) {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller knows what was told and recorded
        yield entry as HistoryEntry<Fact, Recorded>;
        seen = entry.seq;
      }
    }
  }

  async compact(id: string): Promise<void> {
    const { client, books } = await this.#connect();
    if (UNFINISHED.has((await this.#statusOf(id)).status)) {
      throw new EngineMisuseError(`Workflow ${id} has not ended, and cannot be compacted`);
    }
    const below: string[] = [];
    for (let level = [id]; level.length > 0;) {
      const children = await client.listWorkflows({ ...BARE, parentWorkflowID: level });
      level = children.map(({ workflowID }) => workflowID);
      below.push(...level);
    }
    await books.forget(id, below);
    for (let at = 0; at < below.length; at += PAGE) {
      await client.deleteWorkflows(below.slice(at, at + PAGE));
    }
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#stop.abort();
    this.#deadlines.rest();
    await this.#sweeping;
    await shutDown(this);
    const connection = await this.#connecting?.catch(() => undefined); // it never came about
    await connection?.presence.close();
    await connection?.client.destroy();
    await connection?.pool.end();
  }

  // What workflows ask of it.

  laneQueueOf(lane: string | undefined): string | undefined {
    const width = lane === undefined ? undefined : this.#lanes.get(lane);
    return width === undefined ? undefined : laneQueue(this.#options.name, width);
  }

  providerQueueOf(provider: string | undefined): string | undefined {
    const isLimited = provider !== undefined && this.#providers.has(provider);
    return isLimited ? providerQueue(this.#options.name, provider) : undefined;
  }

  async perform(
    call: ActivityCall,
    workflowId: string,
    runBy: string,
  ): Promise<ActivityResult<unknown>> {
    const { books } = await this.#connect();
    return makeCall(call, workflowId, runBy, {
      books,
      clock: this.#clock,
      deadlines: this.#deadlines,
      tools: this.#tools,
      poisonAfter: this.#options.poisonAfter,
      freshMs: Math.max(this.#options.deadAfterMs, LEAST_FRESH_MS),
      newId: this.#newId,
      interruptsOf: (id) => this.#enter(id),
    });
  }

  async enqueueCall(call: ActivityCall, workflowId: string, queueName: string): Promise<void> {
    await DBOS.enqueueWorkflowWithOptions(
      {
        queueName,
        workflowName: CALL,
        workflowClassName: CLASS,
        workflowID: `${workflowId}/call:${call.key}`,
        appVersion: PROTOCOL,
        ...(call.lane !== undefined && { queuePartitionKey: call.lane }),
      },
      call,
      workflowId,
    );
  }

  async enqueuePermit(key: string, workflowId: string, queueName: string): Promise<void> {
    await DBOS.enqueueWorkflowWithOptions(
      {
        queueName,
        workflowName: PERMIT,
        workflowClassName: CLASS,
        workflowID: `${workflowId}/permit:${key}`,
        appVersion: PROTOCOL,
      },
      key,
      workflowId,
    );
  }

  async enqueueChild({ id, workflow, input }: ChildStart, version: string): Promise<void> {
    this.#find(workflow, version);
    try {
      const options = this.#enqueueOptions(id, workflow, version);
      await DBOS.enqueueWorkflowWithOptions(options, version, toJournal(input));
    } catch (error) {
      if (!dbosErrors.isWorkflowIDInUseError(error)) throw error;
      throw new EngineMisuseError(`A workflow with id ${id} is there already`);
    }
  }

  async cancelBelow(workflowId: string, childIds: readonly string[]): Promise<void> {
    const { client, books } = await this.#connect();
    const reason = (await books.cancelReasons([workflowId])).get(workflowId);
    if (reason === undefined || childIds.length === 0) return;
    const children = await client.listWorkflows({
      ...this.#ours,
      ...BARE,
      workflowIDs: [...childIds],
    });
    await this.#cancelAll(children, reason);
  }

  async resultOf(id: string): Promise<WorkflowResult> {
    const { client } = await this.#connect();
    const handle = client.retrieveWorkflow<Ended>(id);
    try {
      return (await handle.getResult({ pollingIntervalMs: this.pollMs })).result;
    } catch (error) {
      if (this.isClosed) throw error;
      return { kind: 'failed', failure: describeFailure(error) };
    }
  }

  async tell(workflowId: string, key: string, fact: object): Promise<void> {
    const { books, facts } = await this.#connect();
    const { seq } = await books.keep({ kind: 'told', workflowId, key, value: fact });
    await facts.heard(seq);
  }

  // What DBOS runs.

  runWorkflow(name: string, version: string, input: unknown): Promise<Ended> {
    return this.#work(async (id) => {
      const context = new DbosContext(this, { id, version });
      const result = await this.#settle(context, name, version, input);
      if (context.fault) throw context.fault.error;
      const { books } = await this.#connect();
      const isCancelled = (await books.cancelReasons([id])).has(id);
      return { status: isCancelled ? 'cancelled' : result.kind, result };
    });
  }

  async #settle(
    context: DbosContext,
    name: string,
    version: string,
    input: unknown,
  ): Promise<WorkflowResult> {
    try {
      const workflow = this.#find(name, version);
      const value = await workflow(context, fromJournal<never>(String(input)));
      return fromJournal<WorkflowResult>(toJournal({ kind: 'completed', value: value ?? null }));
    } catch (error) {
      return { kind: 'failed', failure: describeFailure(error) };
    }
  }

  runCall(call: ActivityCall, workflowId: string): Promise<void> {
    return this.#work(async (id) => {
      const perform = () => this.perform(call, workflowId, id);
      const result = await DBOS.runStep(perform, { name: call.tool });
      const mail: Mail = { kind: 'answer', key: call.key, result };
      await DBOS.send(workflowId, mail, MAIL_TOPIC);
    });
  }

  runPermit(key: string, workflowId: string): Promise<void> {
    return this.#work(async () => {
      const mail: Mail = { kind: 'permit', key };
      await DBOS.send(workflowId, mail, MAIL_TOPIC);
    });
  }

  /** What goes wrong beneath a workflow is not its end: it is left, and a sweep lets it go on. DBOS knows its own errors. */
  async #work<Value>(work: (id: string) => Promise<Value>): Promise<Value> {
    const id = DBOS.workflowID ?? '';
    this.#atWork.add(id);
    try {
      const value = await work(id);
      return this.isClosed ? await forever() : value;
    } catch (error) {
      if (!this.isClosed && error instanceof dbosErrors.DBOSError) throw error;
      this.#logger.warn(
        { err: error, id },
        'A workflow could not go on here; it will be tried again',
      );
      this.#atWork.delete(id);
      return await forever();
    } finally {
      this.#atWork.delete(id);
    }
  }

  // Its own affairs.

  #connect(): Promise<Connection> {
    if (this.isClosed) return forever();
    this.#connecting ??= this.#makeConnection().catch((error: unknown) => {
      this.#connecting = undefined; // whoever asks next tries again
      throw error;
    });
    return this.#connecting;
  }

  async #makeConnection(): Promise<Connection> {
    const { databaseUrl, name, connections, deadAfterMs } = this.#options;
    const pool = new pg.Pool({ connectionString: databaseUrl, max: connections });
    pool.on('error', (error) => this.#logger.warn({ err: error }, 'A connection was cut off'));
    const books = new Books(name, pool, {
      clock: this.#clock,
      logger: this.#logger,
      signal: this.#stop.signal,
    });
    const facts = new FactPump(books, (error) =>
      this.#logger.error({ err: error }, 'A listener failed, or facts could not be read'),
    );
    const ports = { clock: this.#clock, logger: this.#logger };
    const presence: Presence = new Presence({ databaseUrl, processId: this.#processId }, ports, {
      onCancelled: (id) => void this.#interruptCancelled([id]),
      onEntered: () => facts.pump(),
      onBack: () => {
        facts.pump();
        sweeper.forgetMissed();
        void this.#interruptCancelled([...this.#inFlight.keys()]);
      },
    });
    try {
      await presence.open((session) =>
        openTables(session, this.#clock, () => DBOS.migrate(databaseUrl)),
      );
    } catch (error) {
      await pool.end();
      throw error;
    }
    for (const listener of this.#listeners.keys()) {
      this.#listeners.set(listener, facts.subscribe(listener));
    }
    const client = await DBOSClient.create({
      systemDatabaseUrl: databaseUrl,
      systemDatabasePoolSize: connections,
      applicationName: this.#options.name,
      logger: loggerFor(this.#logger),
    });
    const sweeper = new Sweeper(
      { client, books, presence, clock: this.#clock },
      { name, processId: this.#processId, deadAfterMs, isRunning: (id) => this.#atWork.has(id) },
    );
    this.#connection = { client, pool, books, presence, facts, sweeper };
    return this.#connection;
  }

  async #launch(): Promise<void> {
    if (this.#options.takes.length === 0) return;
    this.#launching ??= this.#launchNow().catch((error: unknown) => {
      this.#launching = undefined;
      throw error;
    });
    await this.#launching;
  }

  async #launchNow(): Promise<void> {
    const { client, sweeper } = await this.#connect();
    const { databaseUrl, name, connections } = this.#options;
    const queues = await openQueues(
      client,
      {
        versions: new Set(
          [...this.#workflows].flatMap(([version, { size }]) => (size > 0 ? [version] : [])),
        ),
        lanes: this.#lanes,
        providers: this.#providers,
      },
      this.#options,
    );
    const names = new Set([...this.#workflows.values()].flatMap((named) => [...named.keys()]));
    await launch(this, names, {
      databaseUrl,
      name,
      connections,
      processId: this.#processId,
      queues,
      logger: this.#logger,
    });
    this.#sweeping = this.#sweepOn(sweeper);
  }

  async #sweepOn(sweeper: Sweeper): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        const { workflowIds, processIds } = await sweeper.sweep();
        if (workflowIds.length > 0) {
          this.#logger.warn(
            { processIds, workflows: workflowIds.length },
            'Nobody was at work on some workflows; they go on',
          );
        }
      } catch (error) {
        this.#logger.warn({ err: error }, 'Could not look for processes that have died');
      }
      await this.#clock.sleep(this.#options.sweepEveryMs, this.#stop.signal).catch(() => undefined); // closed: the loop ends
    }
  }

  #enqueueOptions(id: string, workflow: string, version: string) {
    return {
      workflowID: id,
      workflowName: workflow,
      workflowClassName: CLASS,
      queueName: workflowQueue(this.#options.name, version),
      appVersion: PROTOCOL,
      attributes: ATTRIBUTES,
      workflowIDReusePolicy: 'reject',
    } as const;
  }

  #enter(workflowId: string): InFlight {
    const entry = this.#inFlight.get(workflowId) ?? {
      interrupts: new Set<Interruptible>(),
      calls: 0,
    };
    entry.calls += 1;
    this.#inFlight.set(workflowId, entry);
    return {
      interrupts: entry.interrupts,
      leave: () => {
        entry.calls -= 1;
        if (entry.calls === 0) this.#inFlight.delete(workflowId);
      },
    };
  }

  async #interruptCancelled(workflowIds: readonly string[]): Promise<void> {
    const here = workflowIds.filter((id) => this.#inFlight.has(id));
    if (here.length === 0 || !this.#connection) return;
    try {
      for (const [id, reason] of await this.#connection.books.cancelReasons(here)) {
        for (const one of this.#inFlight.get(id)?.interrupts ?? []) one.interrupt(reason);
      }
    } catch (error) {
      this.#logger.warn(
        { err: error },
        'Could not see what was cancelled; what is under way goes on',
      );
    }
  }

  #find(name: string, version: string): Workflow {
    const named = this.#workflows.get(version);
    const workflow = named?.get(name);
    if (workflow) return workflow;
    const known = [...(named?.keys() ?? [])].join(', ') || 'none';
    throw new EngineMisuseError(
      `No workflow of version ${version} is named ${name}; registered: ${known}`,
    );
  }

  async #statusOf(id: string): Promise<WorkflowStatus> {
    const { client } = await this.#connect();
    const status = await client.getWorkflow(id);
    if (status) return status;
    throw new EngineMisuseError(`No workflow has the id ${id}`);
  }
}

/** How a workflow has ended, as DBOS keeps it. */
interface Ended {
  status: WorkflowView['status'];
  result: WorkflowResult;
}

const DEFAULT_VERSION = '1';
const PAGE = 500;
/** An answer of Postgres may take this long without the process having stood still. */
const LEAST_FRESH_MS = 200;
const ATTRIBUTES = { buddy: 'workflow' };
const BARE = { loadInput: false, loadOutput: false };
const RUNNING: ('PENDING' | 'ENQUEUED' | 'DELAYED')[] = ['PENDING', 'ENQUEUED', 'DELAYED'];
const UNFINISHED: ReadonlySet<string> = new Set(RUNNING);

function viewOf(status: WorkflowStatus, cancelReason: string | null): WorkflowView {
  const { workflowID: id, workflowName: workflow } = status;
  return { id, workflow, status: endOf(status), cancelReason };
}

function endOf({ status, output }: WorkflowStatus): WorkflowView['status'] {
  switch (status) {
    case 'SUCCESS':
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what our workflows return, see runWorkflow
      return (output as Ended).status;
    case 'PENDING':
    case 'ENQUEUED':
    case 'DELAYED':
      return 'running';
    default: // somebody ended it by the tools of DBOS, or it failed beneath the workflow
      return 'failed';
  }
}
