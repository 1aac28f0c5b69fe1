import { z } from 'zod';
import { BOT_STATUSES } from './status.ts';

export const BotRole = z.enum([
  'worker',
  'orchestrator',
  'monitor',
  'guardian',
  'integrator',
  'utility',
]);
export type BotRole = z.output<typeof BotRole>;

/** Also the name of the bot's log file and its marker, so no path can be in it. */
export const BotId = z
  .string()
  .max(64)
  .regex(/^[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?$/, 'must be lower-case letters, digits, - and _');

const Port = z.int().min(1).max(65_535);

/** How to find out that a bot is ready for work; nobody waits longer than `timeoutMs`. */
export const Readiness = z.discriminatedUnion('kind', [
  /** Ready as soon as it has started. */
  z.strictObject({ kind: z.literal('started') }),
  /** A 2xx answer on the loopback. */
  z.strictObject({
    kind: z.literal('http'),
    port: Port,
    path: z.string().startsWith('/').default('/'),
    timeoutMs: z.int().positive().default(30_000),
  }),
  /** Something accepts connections on the loopback. */
  z.strictObject({
    kind: z.literal('tcp'),
    port: Port,
    timeoutMs: z.int().positive().default(30_000),
  }),
  /** A line on stdout that contains this text. */
  z.strictObject({
    kind: z.literal('line'),
    text: z.string().min(1),
    timeoutMs: z.int().positive().default(30_000),
  }),
  /** A message through `process.send({ type: 'ready' })`, which asks for a Node child. */
  z.strictObject({
    kind: z.literal('message'),
    timeoutMs: z.int().positive().default(30_000),
  }),
]);
export type Readiness = z.output<typeof Readiness>;

const LivenessPace = {
  everyMs: z.int().positive().default(5_000),
  timeoutMs: z.int().positive().default(2_000),
  /** So many failures in a row make it degraded, and twice as many end it, for the restart policy to deal with. */
  failures: z.int().positive().default(3),
};

/** How to find out, again and again, that a bot still works. */
export const Liveness = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('http'),
    port: Port,
    path: z.string().startsWith('/').default('/'),
    ...LivenessPace,
  }),
  z.strictObject({ kind: z.literal('tcp'), port: Port, ...LivenessPace }),
  /** A message through `process.send({ type: 'alive' })` at least every `everyMs`. */
  z.strictObject({ kind: z.literal('message'), ...LivenessPace }),
]);
export type Liveness = z.output<typeof Liveness>;

/** Erlang's words: `permanent` always, `transient` unless it ended well, `temporary` never. */
export const RestartPolicy = z.strictObject({
  kind: z.enum(['permanent', 'transient', 'temporary']).default('permanent'),
  /** More restarts than this within `periodMs`, of the time in which it was ready, quarantine the bot. */
  intensity: z.int().nonnegative().default(5),
  periodMs: z.int().positive().default(60_000),
  /** The wait before the first restart; it doubles with each further one within the period, up to `maxBackoffMs`. */
  backoffMs: z.int().nonnegative().default(500),
  maxBackoffMs: z.int().nonnegative().default(30_000),
  /** The share of the wait that is drawn by chance: 0.5 waits between half and all of it. */
  jitter: z.number().min(0).max(1).default(0.5),
});
export type RestartPolicy = z.output<typeof RestartPolicy>;

export const ResourceLimits = z.strictObject({
  /** Of the whole process tree. */
  maxRssBytes: z.int().positive().optional(),
  /** Of one core: 150 is a core and a half. */
  maxCpuPercent: z.number().positive().optional(),
  /** For how long without a break before it counts. */
  durationMs: z.int().nonnegative().default(5_000),
});
export type ResourceLimits = z.output<typeof ResourceLimits>;

/** How a bot is run. No value of an environment variable is ever in it, only names. */
export const Deployment = z.strictObject({
  /** An executable, by path or found on the `PATH` of whoever supervises. No shell looks at it. */
  command: z.string().min(1),
  args: z.array(z.string()).readonly().default([]),
  /** An absolute path; the supervisor's own when left out. */
  cwd: z.string().startsWith('/').optional(),
  /** Names of the variables that are handed on from the supervisor's environment; all others are not. */
  env: z
    .array(
      z.string().regex(/^[A-Za-z_]\w*$/, 'must be the name of a variable; values are never stored'),
      { error: 'must be a list of names of variables; values are never stored' },
    )
    .readonly()
    .default([]),
  readiness: Readiness.default({ kind: 'started' }),
  liveness: Liveness.optional(),
  restart: RestartPolicy.prefault({}),
  /** Between SIGTERM and SIGKILL. */
  stopGraceMs: z.int().nonnegative().default(5_000),
  limits: ResourceLimits.prefault({}),
  /** Ids of bots that are ready before this one starts, and stop after it. */
  dependsOn: z.array(BotId).readonly().default([]),
});
export type Deployment = z.output<typeof Deployment>;

/** The name of a part of deployments that several bots share. */
export const TemplateName = BotId;

/** A bot as it is meant to be, with all that its template gives and all defaults filled in. */
export const BotDefinition = z.strictObject({
  id: BotId,
  role: BotRole,
  description: z.string().max(500).default(''),
  tags: z.array(z.string().min(1).max(64)).readonly().default([]),
  /** Where what `deployment` has, and nobody wrote about this bot alone, comes from. */
  template: TemplateName.optional(),
  deployment: Deployment,
});
export type BotDefinitionInput = z.input<typeof BotDefinition>;
export type BotDefinition = z.output<typeof BotDefinition>;

/** A process that is never mistaken for another that got its number later. */
export const ProcessIdentity = z.strictObject({
  pid: z.int().positive(),
  /** When it started, as the system counts it; equal for the same process only. */
  startedAtTicks: z.string(),
  /** The boot of the machine that the ticks count from. */
  bootId: z.string(),
});
export type ProcessIdentity = z.output<typeof ProcessIdentity>;

export const ExitKind = z.enum([
  'requested',
  'finished',
  'crash',
  'out_of_memory',
  'address_in_use',
  'configuration',
  'signal',
  'not_ready',
  'not_alive',
  'limit_exceeded',
]);
export type ExitKind = z.output<typeof ExitKind>;

/** How a bot's last process ended. */
export const BotExit = z.strictObject({
  kind: ExitKind,
  exitCode: z.int().nullable(),
  signal: z.string().nullable(),
  at: z.iso.datetime(),
});
export type BotExit = z.output<typeof BotExit>;

/** A bot as the registry keeps it: what was written about it, and what became of it. */
export const Bot = BotDefinition.extend({
  status: z.enum(BOT_STATUSES),
  /** Why it is in this status, when that is not plain: `6 restarts in 60 s`. */
  statusReason: z.string().optional(),
  statusSince: z.iso.datetime(),
  process: ProcessIdentity.optional(),
  /** What every process of its tree carries in its environment, so that all of them are found again. No secret. */
  mark: z.string().optional(),
  lastExit: BotExit.optional(),
  /** Since it was registered. */
  restarts: z.int().nonnegative(),
  /** How often its definition was written: 1 at first. What becomes of it while it runs does not count. */
  revision: z.int().positive(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type Bot = z.output<typeof Bot>;
