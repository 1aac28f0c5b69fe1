import type { DBOSClient } from '@dbos-inc/dbos-sdk';
import type { RateLimitOptions } from '../durable/rate-limit.ts';
import type { DbosEngineOptions } from './options.ts';

/**
 * The application version under which DBOS keeps all that is ours: of how this adapter lays out its steps, not of anybody's
 * workflows; those bear theirs in the name of their queue. Changes with the order or number of steps that a verb takes.
 */
export const PROTOCOL = 'buddy-2';

/** What a process has to know of a registration to find its queues. */
export interface Limits {
  versions: ReadonlySet<string>;
  lanes: ReadonlyMap<string, number>;
  providers: ReadonlyMap<string, RateLimitOptions>;
}

/** Whoever takes from it has the code of this version. Nothing limits it: a workflow that waits must not hold up another. */
export function workflowQueue(name: string, version: string): string {
  return `${name}.workflows.${version}`;
}

/** For all lanes of this width, each a partition: DBOS knows one concurrency for a queue. */
export function laneQueue(name: string, width: number): string {
  return `${name}.lanes.${width}`;
}

export function providerQueue(name: string, provider: string): string {
  return `${name}.providers.${provider}`;
}

/** Makes the queues, or sets their limits anew. @returns The names of those that this process takes from. */
export async function openQueues(
  client: DBOSClient,
  { versions, lanes, providers }: Limits,
  { takes, callsAtOnce, pollMs, name }: DbosEngineOptions,
): Promise<string[]> {
  const register = async (queue: string, isTaken: boolean, limits: RegisterQueueOptions) => {
    await client.registerQueue(queue, {
      ...limits,
      minPollingIntervalMs: pollMs,
      // What limits a queue is one for all: whoever takes nothing from it has no say in that.
      onConflict: isTaken ? 'always_update' : 'never_update',
      applicationName: name,
    });
    if (isTaken) taken.push(queue);
  };
  const taken: string[] = [];
  for (const version of versions) {
    await register(workflowQueue(name, version), takes.includes('workflows'), {});
  }
  for (const width of new Set(lanes.values())) {
    const limits = { partitionConcurrency: width, workerConcurrency: callsAtOnce };
    await register(laneQueue(name, width), takes.includes('calls'), limits);
  }
  for (const [provider, { starts, perMs }] of providers) {
    const rateLimit = { limitPerPeriod: starts, periodSec: perMs / 1_000 };
    await register(providerQueue(name, provider), true, { rateLimit }); // nothing to do but to say so: whoever knows of the limit can
  }
  return taken;
}

type RegisterQueueOptions = NonNullable<Parameters<DBOSClient['registerQueue']>[1]>;
