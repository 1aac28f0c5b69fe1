import { DBOS } from '@dbos-inc/dbos-sdk';
import type { Logger } from '@buddy/core';
import type { ActivityCall } from '../durable/durable-context.ts';
import { EngineMisuseError } from '../errors.ts';
import type { Packed } from './large-values.ts';
import { PROTOCOL } from './queues.ts';

/** What DBOS runs for an engine. */
export interface Executor {
  runWorkflow(name: string, version: string, input: unknown): Promise<unknown>;
  runCall(call: Packed<ActivityCall>, workflowId: string): Promise<void>;
  runPermit(key: string, workflowId: string): Promise<void>;
}

/** All that is ours is of this class, whatever else the application has registered with DBOS. */
export const CLASS = 'buddy';
export const CALL = 'buddy.call';
export const PERMIT = 'buddy.permit';

export const JOIN = 'joinAll';

/** DBOS is one for a process, and so is what it runs. */
let current: Executor | undefined;
const registered = new Set<string>();
const steps = new Map<string, Step>();

type Step = <Value>(work: () => Promise<Value>) => Promise<Value>;

/**
 * Launches DBOS for this executor.
 * @throws {EngineMisuseError} When DBOS has been launched in this process already.
 */
export async function launch(
  executor: Executor,
  { workflows, tools }: { workflows: Iterable<string>; tools: Iterable<string> },
  { databaseUrl, name, connections, processId, queues, logger }: LaunchOptions,
): Promise<void> {
  if (current || DBOS.isInitialized()) {
    throw new EngineMisuseError(
      'DBOS has been launched in this process already, and can be but once: close the other engine first, or use another process',
    );
  }
  current = executor;
  try {
    for (const workflow of workflows) registerWorkflow(workflow);
    for (const step of [JOIN, ...tools]) registerStep(step);
    registerOnce(CALL, (call: Packed<ActivityCall>, workflowId: string) =>
      running().runCall(call, workflowId),
    );
    registerOnce(PERMIT, (key: string, workflowId: string) => running().runPermit(key, workflowId));
    DBOS.setConfig({
      name,
      systemDatabaseUrl: databaseUrl,
      systemDatabasePoolSize: connections,
      applicationVersion: PROTOCOL,
      executorID: processId,
      listenQueues: queues,
      systemDatabaseIdleTransactionTimeoutMs: IDLE_TRANSACTION_MS,
      runMigrations: false, // done when the engine was opened, by one process at a time
      logger: loggerFor(logger),
    });
    await DBOS.launch();
  } catch (error) {
    current = undefined;
    throw error;
  }
}

interface LaunchOptions {
  databaseUrl: string;
  name: string;
  connections: number;
  processId: string;
  queues: string[];
  logger: Logger;
}

export async function shutDown(executor: Executor): Promise<void> {
  if (current !== executor) return;
  await DBOS.shutdown();
  current = undefined;
}

function registerWorkflow(name: string): void {
  registerOnce(name, (version: string, input: unknown) =>
    running().runWorkflow(name, version, input),
  );
}

/** Registrations stay when an engine is closed; they are for whichever engine is open. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- each is registered with arguments of its own
function registerOnce<Args extends unknown[]>(
  name: string,
  run: (...args: Args) => Promise<unknown>,
): void {
  if (registered.has(name)) return;
  DBOS.registerWorkflow(run, { name, className: CLASS, maxRecoveryAttempts: MANY });
  registered.add(name);
}

/** Of its name and nothing else: engines that come one after the other may mean different tools by it. */
function registerStep(name: string): void {
  if (steps.has(name)) return;
  // A function of its own: by that DBOS knows one from another.
  const step = DBOS.registerStep(<Value>(work: () => Promise<Value>) => work(), {
    name,
    className: CLASS,
  });
  steps.set(name, step);
}

/** Does it as the step of this name. A tool that is not here has none; what comes of its call is recorded under its name as well. */
export function runStep<Value>(name: string, work: () => Promise<Value>): Promise<Value> {
  const step = steps.get(name);
  return step ? step(work) : DBOS.runStep(work, { name });
}

/** A process that stands still in the middle of a transaction holds up the others for so long; DBOS would let it for a minute. */
export const IDLE_TRANSACTION_MS = 5_000;

/** Crashes are counted by call, see `poisonAfter`; a workflow itself is never given up. */
const MANY = 1_000_000;

function running(): Executor {
  if (current) return current;
  throw new EngineMisuseError('The engine has been closed');
}

/** A log as DBOS wants it; what it tells in passing is for those who look for faults. */
export function loggerFor(logger: Logger) {
  return {
    info: (entry: unknown) => logger.debug({ dbos: entry }),
    debug: (entry: unknown) => logger.debug({ dbos: entry }),
    warn: (entry: unknown) => logger.warn({ dbos: entry }, 'DBOS warns'),
    error: (entry: unknown) => logger.error({ err: entry }, 'DBOS reports an error'),
  };
}
