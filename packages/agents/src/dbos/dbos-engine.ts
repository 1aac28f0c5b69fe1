import {
  type Clock,
  type Logger,
  type NewId,
  parseOrThrow,
  randomId,
  silentLogger,
  systemClock,
} from '@buddy/core';
import { Error as dbosErrors, type WorkflowStatus } from '@dbos-inc/dbos-sdk';
import { Deadlines } from '../durable/deadlines.ts';
import type { Engine, Registration, WorkflowResult, WorkflowView } from '../durable/engine.ts';
import { Registrations } from '../durable/registrations.ts';
import { type HistoryEntry, toJournal } from '../durable/workflow-store.ts';
import { EngineMisuseError } from '../errors.ts';
import { cancelAll } from './cancellation.ts';
import { lookBelow } from './compaction.ts';
import { connect, type Connection } from './connection.ts';
import { forever } from './dbos-context.ts';
import { callId, permitId } from './enqueuing.ts';
import { type Mail, MAIL_TOPIC } from './mail.ts';
import { type DbosEngineInput, DbosEngineOptions } from './options.ts';
import { openQueues } from './queues.ts';
import { launch, shutDown } from './runtime.ts';
import { Sweeper } from './sweep.ts';
import { BARE, isRunning, PAGE, resultsOf, RUNNING, viewOf } from './views.ts';
import { Worker } from './worker.ts';
import { ATTRIBUTES, enqueueOptions } from './workflow-options.ts';

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

class DbosEngine implements Engine {
  readonly isDurable = true;
  readonly #options: DbosEngineOptions;
  /** Of the workflows of this name, in questions to DBOS. */
  readonly #ours: { applicationName: string; attributes: Record<string, unknown> };
  readonly #ports: Required<DbosEnginePorts>;
  readonly #processId: string;
  readonly #deadlines: Deadlines;
  readonly #registered = new Registrations();
  /** Those who listen, and how they leave; there is nothing to leave before there is a connection. */
  readonly #listeners = new Map<(fact: object, at: number) => void, (() => void) | undefined>();
  readonly #stop = new AbortController();
  #connecting: Promise<Connection> | undefined;
  #connection: Connection | undefined;
  #launching: Promise<Worker> | undefined;
  #worker: Worker | undefined;
  #sweeper: Sweeper | undefined;
  #background: Promise<unknown> | undefined;

  constructor(options: DbosEngineOptions, ports: Required<DbosEnginePorts>) {
    this.#options = options;
    this.#ours = { applicationName: options.name, attributes: ATTRIBUTES };
    this.#ports = ports;
    this.#processId = ports.newId();
    this.#deadlines = new Deadlines(ports.clock);
  }

  register(registration: Registration): void {
    if (this.#launching) {
      throw new EngineMisuseError(
        'Register before open() and start(): DBOS learns of workflows when it is launched',
      );
    }
    this.#registered.add(registration);
  }

  async open(): Promise<{ resumed: number }> {
    const { client, facts } = await this.#connect();
    await facts.ready();
    const unfinished = await client.listWorkflows({ ...this.#ours, status: RUNNING, ...BARE });
    await this.#launch();
    return { resumed: unfinished.length };
  }

  async start(id: string, workflow: string, input: unknown): Promise<{ created: boolean }> {
    const { version } = this.#registered;
    const { name } = this.#options;
    this.#registered.find(workflow, version);
    const options = { ...enqueueOptions(name, { id, workflow, version }), applicationName: name };
    const text = toJournal(input);
    const { client, facts, large } = await this.#connect();
    await facts.ready();
    await this.#launch();
    const [kept = text] = await large.takeOut([{ text, use: { workflowId: id, as: 'input' } }]);
    try {
      await client.enqueue(options, version, kept);
      return { created: true };
    } catch (error) {
      if (!dbosErrors.isWorkflowIDInUseError(error)) throw error;
      if (kept !== text) await this.#forgetInputsBut(id, kept);
      return { created: false };
    }
  }

  async signal(id: string, topic: string, value: unknown, { key }: { key: string }): Promise<void> {
    const { client, large } = await this.#connect();
    await this.#statusOf(id);
    const mail = await large.pack<Mail>(
      { kind: 'signal', topic, key, value: value ?? null },
      { workflowId: id, as: 'entry' },
    );
    await client.send(id, mail, MAIL_TOPIC, `signal/${key}`);
  }

  async cancel(id: string, reason: string): Promise<void> {
    const root = await this.#statusOf(id);
    await cancelAll(await this.#connect(), [root], reason);
  }

  async result(id: string): Promise<WorkflowResult> {
    await this.#statusOf(id);
    const connection = await this.#connect();
    try {
      const [result] = await resultsOf(connection, [id], {
        clock: this.#ports.clock,
        signal: this.#stop.signal,
        pollMs: this.#options.pollMs,
      });
      return result ?? (await forever());
    } catch (error) {
      if (this.#isClosed) return forever(); // it has not ended, as far as anybody here will ever know
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
    const { client, books, large } = await this.#connect();
    if (isRunning(await this.#statusOf(id))) {
      throw new EngineMisuseError(`Workflow ${id} has not ended, and cannot be compacted`);
    }
    const { forgotten, left } = await lookBelow(client, id);
    for (const one of left) {
      const input: unknown = (await client.getWorkflow(one))?.input?.[1];
      if (typeof input === 'string') await large.useInput(one, input);
    }
    const calls = await books.callsOf([id, ...forgotten]);
    // In such an order that whoever does it again, when this process has died, finds what is left: calls by what is known of
    // them, what is known by who is there, and who is there by what is above.
    await deleteAll(
      client,
      calls.flatMap((call) => [callId(call.workflowId, call.key), permitId(call)]),
    );
    await books.forget(id, forgotten);
    await deleteAll(client, forgotten.toReversed());
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#stop.abort();
    this.#deadlines.rest();
    await this.#background;
    if (this.#worker) await shutDown(this.#worker);
    const connection = await this.#connecting?.catch(() => undefined); // it never came about
    await connection?.close();
  }

  /** The workflow was there already, and may have begun with something else. */
  async #forgetInputsBut(id: string, kept: string): Promise<void> {
    const { client, large } = await this.#connect();
    const input: unknown = (await client.getWorkflow(id))?.input?.[1];
    if (typeof input === 'string' && input !== kept) await large.forgetInputsBut(id, input);
  }

  get #isClosed(): boolean {
    return this.#stop.signal.aborted;
  }

  #connect(): Promise<Connection> {
    if (this.#isClosed) return forever();
    this.#connecting ??= this.#makeConnection().catch((error: unknown) => {
      this.#connecting = undefined; // whoever asks next tries again
      throw error;
    });
    return this.#connecting;
  }

  async #makeConnection(): Promise<Connection> {
    const ports = { ...this.#ports, signal: this.#stop.signal };
    const connection = await connect(this.#options, this.#processId, ports, () =>
      this.#sweeper?.forgetMissed(),
    );
    for (const listener of this.#listeners.keys()) {
      this.#listeners.set(listener, connection.facts.subscribe(listener));
    }
    this.#connection = connection;
    return connection;
  }

  async #launch(): Promise<void> {
    if (this.#options.takes.length === 0) return;
    this.#launching ??= this.#launchNow().catch((error: unknown) => {
      this.#launching = undefined;
      throw error;
    });
    await this.#launching;
  }

  async #launchNow(): Promise<Worker> {
    const connection = await this.#connect();
    const { databaseUrl, name, connections, deadAfterMs } = this.#options;
    const { clock, logger } = this.#ports;
    const registered = this.#registered;
    const worker = new Worker(this.#options, registered, connection, {
      ...this.#ports,
      deadlines: this.#deadlines,
      signal: this.#stop.signal,
    });
    const processId = this.#processId;
    const { lanes, providers, tools } = registered;
    const named = { workflows: registered.workflowNames(), tools: tools.keys() };
    const queues = await openQueues(
      connection.client,
      { versions: registered.versions(), lanes, providers },
      this.#options,
    );
    await launch(worker, named, {
      databaseUrl,
      name,
      connections,
      processId,
      queues,
      logger,
    });
    this.#worker = worker;
    const sweeper = new Sweeper(
      { ...connection, clock },
      { name, processId, deadAfterMs, isRunning: (id) => worker.isAtWork(id) },
    );
    this.#sweeper = sweeper;
    const { sweepEveryMs, lookAgainMs } = this.#options;
    this.#background = Promise.all([
      this.#every(sweepEveryMs, () => this.#sweep(sweeper)),
      this.#every(lookAgainMs, async () => connection.answers.lookAgain()),
    ]);
    return worker;
  }

  async #sweep(sweeper: Sweeper): Promise<void> {
    const { workflowIds, processIds } = await sweeper.sweep();
    if (workflowIds.length === 0) return;
    this.#ports.logger.warn(
      { processIds, workflows: workflowIds.length },
      'Nobody was at work on some workflows; they go on',
    );
  }

  async #every(ms: number, work: () => Promise<void>): Promise<void> {
    const { signal } = this.#stop;
    const closed = new Promise<void>((resolve) =>
      signal.addEventListener('abort', () => resolve()),
    );
    while (!signal.aborted) {
      // DBOS asks a Postgres that is away for ever: whoever closes does not wait for that.
      await Promise.race([closed, work().catch((error: unknown) => this.#warn(error))]);
      await this.#ports.clock.sleep(ms, signal).catch(() => undefined); // closed: the loop ends
    }
  }

  #warn(error: unknown): void {
    this.#ports.logger.warn({ err: error }, 'Could not look for processes that have died');
  }

  async #statusOf(id: string): Promise<WorkflowStatus> {
    const { client } = await this.#connect();
    const status = await client.getWorkflow(id);
    if (status) return status;
    throw new EngineMisuseError(`No workflow has the id ${id}`);
  }
}

async function deleteAll(client: Connection['client'], ids: readonly string[]): Promise<void> {
  for (let at = 0; at < ids.length; at += PAGE) {
    await client.deleteWorkflows(ids.slice(at, at + PAGE));
  }
}
