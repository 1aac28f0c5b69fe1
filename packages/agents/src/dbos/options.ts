import { z } from 'zod';

export const DbosEngineOptions = z.strictObject({
  /**
   * Where the Postgres is, as `postgres://user:password@host:5432/database`. Direct: not through a
   * pooler that shares sessions.
   */
  databaseUrl: z.url({ protocol: /^postgres(ql)?$/ }),
  /**
   * Engines of one name, in one database, share their work and hear each other's facts; those of another name do not. Ids of
   * workflows are unique in a database all the same.
   */
  name: z
    .string()
    .regex(/^[\w.-]{1,60}$/)
    .default('buddy'),
  /**
   * What this process takes from the others: `workflows` to run, `calls` of tools to make. A process that takes nothing only
   * starts, signals and listens.
   */
  takes: z.array(z.enum(['workflows', 'calls'])).default(['workflows', 'calls']),
  /**
   * So many calls that need a place in a lane does this process make at once, of each lane width. DBOS keeps one number for all
   * processes that take calls: what the one opened last says counts.
   */
  callsAtOnce: z.int().positive().default(10),
  /** How often queues and joined workflows are looked at, in milliseconds; a join that has waited for long is looked at each second. */
  pollMs: z.int().positive().default(100),
  /**
   * How often a workflow that waits looks for signals whose notification was lost with a connection, and a process for answers,
   * in milliseconds. Each workflow that waits asks Postgres so often: a thousand of them, 17 times a second at the default.
   */
  lookAgainMs: z.int().positive().default(60_000),
  /** How often each process looks for others that have died, in milliseconds. */
  sweepEveryMs: z.int().positive().default(500),
  /** So long must a process have been gone before others go on with its work: a Postgres that restarts cuts off everybody, in milliseconds. */
  deadAfterMs: z.int().nonnegative().default(1_000),
  /** So often may a call end its process, after the first time, before it is called no more, and fails. */
  poisonAfter: z.int().positive().default(3),
  /** The size of each of three pools of connections to Postgres: of DBOS as it runs, of DBOS as it is asked, and of the engine's own tables. */
  connections: z.int().min(2).default(10),
});
export type DbosEngineInput = z.input<typeof DbosEngineOptions>;
export type DbosEngineOptions = z.output<typeof DbosEngineOptions>;
