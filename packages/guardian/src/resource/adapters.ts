import type { Reading } from './reading.ts';

/** A sign of trouble that an adapter tells of by itself, without being asked. */
export type Sign = Extract<Reading, { status: 'FAILED' }>;

/**
 * What every resource can do: say how it is, and, where it can, tell of trouble the moment it comes.
 *
 * In the ports below a method that returns `Promise<void>` changes something and is an **effect**: a step has to declare it.
 * Every other method only looks. Effects may be called twice with the result of once, for an undo after a crash repeats them.
 */
export interface Probed {
  /** How it is now. May reject: that is a reading of UNKNOWN. */
  probe(signal: AbortSignal): Promise<Reading>;
  /** Calls `raise` when trouble shows; returns what ends the watching. */
  watch?(raise: (sign: Sign) => void): () => void;
}

/** A process by its pid and its start time (clock ticks since boot): a pid alone may be another's by now. */
export interface ProcessIdentity {
  pid: number;
  startTime: string;
}

export interface ServiceExit {
  code: number | null;
  signal: string | null;
  /** The last characters that it wrote to stderr. */
  stderrTail: string;
}

export type ServiceState =
  | { is: 'running'; identity: ProcessIdentity }
  | { is: 'exited'; exit: ServiceExit }
  | { is: 'stopped' };

/** A process under any supervisor. */
export interface ServiceAdapter extends Probed {
  readonly kind: 'service';
  state(signal: AbortSignal): Promise<ServiceState>;
  /** Starts it, unless it runs. Resolves when it was started, which is before it is ready. */
  start(signal: AbortSignal): Promise<void>;
  /** Ends it with all its children, by force when asking does not help, and waits until it is gone. */
  stop(signal: AbortSignal): Promise<void>;
}

/** How a service is launched when it is started the next time. */
export interface LaunchSettings {
  readonly release: string;
  /** `safe` leaves out what it can start without. */
  readonly mode: 'normal' | 'safe';
  /** Of its heap, in MiB; null: no limit of ours. */
  readonly memoryMb: number | null;
  /** File descriptors that it may have open; null: no limit of ours. */
  readonly openFiles: number | null;
  /** Where it listens; null: that is none of our business. */
  readonly port: number | null;
}

/** How a service is launched. What is changed here is so from its next start on; what runs goes on as it was started. */
export interface LaunchAdapter extends Probed {
  readonly kind: 'launch';
  settings(): LaunchSettings;
  /** The memory limit that nobody has raised yet; null: no limit of ours. */
  usualMemoryMb(): number | null;
  /** How far the limits may be raised; null where there is no limit of ours. */
  caps(): { memoryMb: number | null; openFiles: number | null };
  /** Ports at which it may listen. */
  ports(): readonly number[];
  /** Whether nobody listens at a port. */
  isFree(port: number, signal: AbortSignal): Promise<boolean>;
  hasSafeMode(): boolean;
  /** The newest release before the present one that was seen to work; undefined when there is none. */
  lastKnownGood(): string | undefined;
  /** Whether a process was launched as this service, now or earlier. */
  isOurs(identity: ProcessIdentity, signal: AbortSignal): Promise<boolean>;
  useRelease(release: string, signal: AbortSignal): Promise<void>;
  useMode(mode: LaunchSettings['mode'], signal: AbortSignal): Promise<void>;
  limitMemory(megabytes: number, signal: AbortSignal): Promise<void>;
  limitOpenFiles(count: number, signal: AbortSignal): Promise<void>;
  /** Lets it listen at another of its ports, and tells those who call it. */
  usePort(port: number, signal: AbortSignal): Promise<void>;
}

/** What a process uses, and how far it may go. */
export interface Vitals {
  readonly identity: ProcessIdentity;
  /** What counts against its limit: the heap of a process that tells of it, else its resident memory. */
  readonly memory: { readonly usedBytes: number; readonly limitBytes: number | undefined };
  readonly residentBytes: number;
  readonly openFiles: { readonly count: number; readonly limit: number | undefined };
  /** Median delay of its event loop since it was asked last, in ms; undefined when it does not tell. */
  readonly loopDelayMs: number | undefined;
}

/** How a process is within: memory, descriptors, event loop. */
export interface VitalsAdapter extends Probed {
  readonly kind: 'vitals';
  /** Undefined when no process runs. */
  read(signal: AbortSignal): Promise<Vitals | undefined>;
  /** Whether it could open so many more descriptors now; undefined when it does not tell. */
  canOpen(count: number, signal: AbortSignal): Promise<boolean | undefined>;
  /** Whether a picture of what it does can be kept. */
  canCapture(): boolean;
  /** Asks it to let go of what it can do without: idle connections, caches. Nothing, when it does not listen. */
  shed(signal: AbortSignal): Promise<void>;
  /** Keeps a picture of what it does at this moment, for people; that there is none to be had is kept too. */
  capture(signal: AbortSignal): Promise<void>;
}

export interface PortAdapter extends Probed {
  readonly kind: 'port';
  readonly host: string;
  /** Where it is now: it may move. */
  readonly port: number;
  /** Layer 4 alone: does it accept? */
  connect(signal: AbortSignal): Promise<Reading>;
  /** Layer 7: does what accepts also answer? */
  exchange(signal: AbortSignal): Promise<Reading>;
  /** Who listens: us, another, or not to be known without privileges. */
  owner(
    signal: AbortSignal,
  ): Promise<{ is: 'nobody' | 'unknown' } | { is: 'process'; identity: ProcessIdentity }>;
}

export interface PathMeasure {
  path: string;
  /** Of the samples that were answered, in ms; undefined when none was. */
  medianMs: number | undefined;
  /** Share of samples that were lost, reset or late, 0..1. */
  lostShare: number;
  /** What the last sample that was lost said; undefined when none was. */
  failure?: Sign | undefined;
}

/** `closed` lets everything through, `open` nothing, `half_open` one request on trial. */
export type BreakerState = 'closed' | 'open' | 'half_open';

/** Something remote that can be reached by one path or more. */
export interface EndpointAdapter extends Probed {
  readonly kind: 'endpoint';
  paths(): readonly string[];
  currentPath(): string;
  measure(path: string, signal: AbortSignal): Promise<PathMeasure>;
  /** Layer 3: does the host at the end of this path answer at all, be it with a refusal? */
  reach(path: string, signal: AbortSignal): Promise<Reading>;
  /** Layer 7: does it answer a request by this path, over a connection of its own? */
  exchange(path: string, signal: AbortSignal): Promise<Reading>;
  /** The median of a path in good times, in ms. */
  baselineMs(path: string): number | undefined;
  usePath(path: string, signal: AbortSignal): Promise<void>;
  /** Connections kept for reuse are closed, names looked up anew. */
  resetConnections(signal: AbortSignal): Promise<void>;
  limitConcurrency(most: number, signal: AbortSignal): Promise<void>;
  concurrencyLimit(): number;
  breakerOf(path: string): BreakerState;
  /** Requests by this path fail at once, until its rest is over and one on trial was answered. */
  openBreaker(path: string, signal: AbortSignal): Promise<void>;
  closeBreaker(path: string, signal: AbortSignal): Promise<void>;
  /** After how long, in ms, a request that may be repeated is sent by another path too; undefined when it is not. */
  hedgeAfterMs(): number | undefined;
  hedge(afterMs: number, signal: AbortSignal): Promise<void>;
  stopHedging(signal: AbortSignal): Promise<void>;
  /** Requests that can wait and have not been delivered. */
  heldRequests(): number;
  isHolding(): boolean;
  /** Requests that can wait are kept, and not tried. */
  holdRequests(signal: AbortSignal): Promise<void>;
  /** What is kept is delivered, in the order in which it came, as far as it can be; what comes is tried again. */
  releaseRequests(signal: AbortSignal): Promise<void>;
}

export interface SqliteAdapter extends Probed {
  readonly kind: 'sqlite';
  check(depth: 'quick' | 'full', signal: AbortSignal): Promise<Reading>;
  backups(signal: AbortSignal): Promise<readonly { id: string; takenAt: number }[]>;
  stopWriters(signal: AbortSignal): Promise<void>;
  resumeWriters(signal: AbortSignal): Promise<void>;
  /** Sets the file and its journal aside under `name`, whole. */
  quarantine(name: string, signal: AbortSignal): Promise<void>;
  putBack(name: string, signal: AbortSignal): Promise<void>;
  restore(backupId: string, signal: AbortSignal): Promise<void>;
  checkpoint(signal: AbortSignal): Promise<void>;
}

export interface PostgresAdapter extends Probed {
  readonly kind: 'postgres';
  /** Sessions of our own application name, the longest idle transaction first. */
  sessions(signal: AbortSignal): Promise<readonly { id: string; idleInTransactionMs: number }[]>;
  target(): string;
  targets(): readonly string[];
  dropPool(signal: AbortSignal): Promise<void>;
  useTarget(target: string, signal: AbortSignal): Promise<void>;
  cancelSession(id: string, signal: AbortSignal): Promise<void>;
  startServer(signal: AbortSignal): Promise<void>;
  stopServer(signal: AbortSignal): Promise<void>;
}

export interface DiskSpace {
  freeBytes: number;
  freeInodes: number;
  /** What should stay free. */
  reserveBytes: number;
  reserveInodes: number;
  /** How large the ballast is now, and how large it should be; 0 and 0 when there is none. */
  ballastBytes: number;
  fullBallastBytes: number;
}

/** A file that may be thrown away. */
export interface ReclaimableFile {
  /** Relative to the folder that is watched. */
  path: string;
  bytes: number;
  /** Ms since the epoch. */
  changedAt: number;
}

/** The file system below a folder, and what is kept there to have room when it is full. */
export interface DiskAdapter extends Probed {
  readonly kind: 'disk';
  space(signal: AbortSignal): Promise<DiskSpace>;
  /** Whether what is written there lands on the disk, and whether the reserve is free. */
  canWrite(signal: AbortSignal): Promise<Reading>;
  /** What may be thrown away (rotated logs, caches), the oldest first. */
  reclaimable(signal: AbortSignal): Promise<readonly ReclaimableFile[]>;
  /** Whether those who write what is not essential can be told to wait, and whether they do. */
  writers(signal: AbortSignal): Promise<'none' | 'writing' | 'paused'>;
  pauseWriters(signal: AbortSignal): Promise<void>;
  resumeWriters(signal: AbortSignal): Promise<void>;
  releaseBallast(signal: AbortSignal): Promise<void>;
  /** Makes the ballast as large as it should be, or as far as `keepFreeBytes` stay free. */
  armBallast(keepFreeBytes: number, signal: AbortSignal): Promise<void>;
  /** Moves the files to the spill folder, where there is one; else they are gone. */
  reclaim(paths: readonly string[], signal: AbortSignal): Promise<void>;
  /** Puts back those of them that were moved. */
  putBack(paths: readonly string[], signal: AbortSignal): Promise<void>;
}

/** A config file, the copy of it from good times, and the program that reads it. */
export interface ConfigFileAdapter extends Probed {
  readonly kind: 'config_file';
  /** The file alone: is it there, can it be read, does it fit its schema? */
  check(signal: AbortSignal): Promise<Reading>;
  /** Digest of what is there now; undefined when there is nothing. */
  digest(signal: AbortSignal): Promise<string | undefined>;
  /** Digest of what was good last; undefined when nothing ever was. */
  lastKnownGood(signal: AbortSignal): Promise<string | undefined>;
  /** Digest of what its reader has loaded; undefined when its reader does not run. */
  consumerGeneration(signal: AbortSignal): Promise<string | undefined>;
  /** Remembers under `name` what is there now, be it nothing; what is remembered under it already stays. */
  keepCopy(name: string, signal: AbortSignal): Promise<void>;
  restoreLastKnownGood(signal: AbortSignal): Promise<void>;
  /** Makes it as `keepCopy` found it. Does nothing when nothing was kept under `name`. */
  putBack(name: string, signal: AbortSignal): Promise<void>;
  /** Tells its reader to read it again. */
  reload(signal: AbortSignal): Promise<void>;
}

/** A secret by which something else knows us. No method answers the secret; nothing here may carry it. */
export interface CredentialAdapter extends Probed {
  readonly kind: 'credential';
  version(): string;
  /** Versions that the secret's store has, by name, in the order in which to try them; never the secret. */
  versions(signal: AbortSignal): Promise<readonly string[]>;
  /** Whether this version was tried and refused: it is never tried twice, for that locks accounts. */
  wasRefused(version: string): boolean;
  /** Whether those who ask for the secret are given it. */
  isCalling(): boolean;
  useVersion(version: string, signal: AbortSignal): Promise<void>;
  stopCalling(signal: AbortSignal): Promise<void>;
  resumeCalling(signal: AbortSignal): Promise<void>;
}

/** An answer that was good, and when it came (ms since the epoch). */
export interface KnownAddresses {
  addresses: readonly string[];
  at: number;
}

/** How names become addresses for us. */
export interface DnsAdapter extends Probed {
  readonly kind: 'dns';
  resolvers(): readonly string[];
  /** Those in use, the first first. */
  current(): readonly string[];
  names(): readonly string[];
  lookUp(name: string, resolver: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Whether this resolver knows every name that must be known, and knows none that nobody can have. */
  examine(resolver: string, signal: AbortSignal): Promise<Reading>;
  /** Whether what the names resolve to accepts connections, where it is known at which port. */
  connects(signal: AbortSignal): Promise<Reading>;
  /** The last good answer, while it is not older than stale answers may be. */
  lastGood(name: string): KnownAddresses | undefined;
  pinned(name: string): readonly string[] | undefined;
  useResolvers(resolvers: readonly string[], signal: AbortSignal): Promise<void>;
  /** These are the addresses, whatever a resolver says; for as long as stale answers may be given. */
  pin(name: string, addresses: readonly string[], signal: AbortSignal): Promise<void>;
  unpin(name: string, signal: AbortSignal): Promise<void>;
}

/** A certificate that stood a handshake in which everything was verified. */
export interface VerifiedCertificate {
  /** SHA-256, in hexadecimal digits with colons. */
  fingerprint: string;
  /** Of the earliest in the chain, ms since the epoch. */
  expiresAt: number;
}

/** The TLS of a server of ours, or of one that we call. Verification is never switched off. */
export interface TlsAdapter extends Probed {
  readonly kind: 'tls';
  /** By a real handshake, everything verified; undefined when it does not stand. */
  certificate(signal: AbortSignal): Promise<VerifiedCertificate | undefined>;
  /** A server's: the pairs of certificate and key that it was given. A client's: the ways that it knows. */
  contexts(): readonly string[];
  currentContext(): string;
  /** Whether what is seen in a handshake is what the context in use is. */
  servesCurrent(signal: AbortSignal): Promise<Reading>;
  /** Takes into use what is good now, and refuses what is not. */
  renewContext(signal: AbortSignal): Promise<void>;
  useContext(context: string, signal: AbortSignal): Promise<void>;
}

/** How much is asked of a model server at once. */
export interface ModelLimits {
  /** Requests under way at once. */
  parallel: number;
  /** Tokens of context. */
  contextTokens: number;
}

/** Calls to something that lets only so many through. What is used up comes back with time, and by nothing else. */
export interface QuotaAdapter extends Probed {
  readonly kind: 'quota';
  /** The ways that the policy allows: models, keys. */
  routes(): readonly string[];
  route(): string;
  /** Until when this route is used up, ms since the epoch; undefined when it is not. */
  exhaustedUntil(route: string): number | undefined;
  /** Until when calls wait, ms since the epoch; undefined when they are let through. */
  waitsUntil(): number | undefined;
  isShedding(): boolean;
  useRoute(route: string, signal: AbortSignal): Promise<void>;
  /** No call is made until then; who asks is told when. */
  waitUntil(until: number, signal: AbortSignal): Promise<void>;
  stopWaiting(signal: AbortSignal): Promise<void>;
  /** What is of low priority is turned away. */
  shedLowPriority(signal: AbortSignal): Promise<void>;
  stopShedding(signal: AbortSignal): Promise<void>;
}

/** A server of language models with Ollama's API. */
export interface ModelServerAdapter extends Probed {
  readonly kind: 'model_server';
  /** Whether the server answers at all. */
  answers(signal: AbortSignal): Promise<Reading>;
  /** The models that should be in memory. */
  models(): readonly string[];
  /** The models that are. */
  loaded(signal: AbortSignal): Promise<readonly string[]>;
  /** One token, really generated: a server may list a model and be stuck. */
  generateOneToken(signal: AbortSignal): Promise<Reading>;
  route(): string;
  /** Where requests can be sent, the server itself first. */
  routes(): readonly string[];
  limits(): ModelLimits;
  setLimits(limits: ModelLimits, signal: AbortSignal): Promise<void>;
  /** Starts it, unless it answers, and ends before what is left of one that was killed. Resolves when it answers. */
  start(signal: AbortSignal): Promise<void>;
  stop(signal: AbortSignal): Promise<void>;
  /** Ends what computes, with all that waits for it; the server stays. */
  stopRunner(signal: AbortSignal): Promise<void>;
  preload(model: string, signal: AbortSignal): Promise<void>;
  unload(model: string, signal: AbortSignal): Promise<void>;
  routeTo(route: string, signal: AbortSignal): Promise<void>;
}

/** What runs code that is not trusted, and the jobs in it. */
export interface SandboxAdapter extends Probed {
  readonly kind: 'sandbox';
  /** Whether each attempt to escape is denied. */
  escapeCanaries(signal: AbortSignal): Promise<Reading>;
  /** Whether a harmless job gives the result that it must. */
  smokeTest(signal: AbortSignal): Promise<Reading>;
  /** Jobs that are in it or wait to be put there again. */
  jobs(signal: AbortSignal): Promise<readonly string[]>;
  /** Ends it and everything in it. Its jobs wait. */
  destroy(signal: AbortSignal): Promise<void>;
  /** Makes a new one from the pinned template. */
  rebuild(signal: AbortSignal): Promise<void>;
  revokeGrants(signal: AbortSignal): Promise<void>;
  /** Runs a job that waits again; one that was run again before is quarantined instead. */
  requeueOnce(job: string, signal: AbortSignal): Promise<void>;
  /** The job is not run again. */
  quarantineJob(job: string, signal: AbortSignal): Promise<void>;
}

/** The gate in front of what agents do. */
export interface GuardrailsAdapter extends Probed {
  readonly kind: 'guardrails';
  /** Asks the gate for something that must be denied, and for something that must be allowed. */
  canaries(signal: AbortSignal): Promise<{ mustDeny: boolean; mustAllow: boolean }>;
  /** Effects that were done, and those of them with a verdict of the gate. */
  receipts(signal: AbortSignal): Promise<{ effects: number; withReceipt: number }>;
  /** Of the policy in force, of the one that should be, and, where that is known, of the one that is kept to be loaded. */
  policyDigest(signal: AbortSignal): Promise<{ loaded: string; pinned: string; kept?: string }>;
  isFrozen(signal: AbortSignal): Promise<boolean>;
  /** Denies everything. */
  freeze(signal: AbortSignal): Promise<void>;
  unfreeze(signal: AbortSignal): Promise<void>;
  reloadPinnedPolicy(signal: AbortSignal): Promise<void>;
  /** Loads the policy that was pinned before this one; denies everything where there is none. */
  loadPreviousPolicy(signal: AbortSignal): Promise<void>;
  revokeGrants(signal: AbortSignal): Promise<void>;
  quarantineUnreceipted(signal: AbortSignal): Promise<void>;
}

export interface QueueHead {
  job: string;
  ageMs: number;
  failures: number;
}

/** A queue of jobs and those who work it off. */
export interface QueueAdapter extends Probed {
  readonly kind: 'queue';
  /** The oldest job; undefined when there is none. */
  head(signal: AbortSignal): Promise<QueueHead | undefined>;
  /** Jobs that failed so often that they will again, the oldest first. */
  poisoned(signal: AbortSignal): Promise<readonly string[]>;
  /** Whether it is short enough, or becomes so. */
  drains(signal: AbortSignal): Promise<Reading>;
  isIntakePaused(signal: AbortSignal): Promise<boolean>;
  workers(): number;
  maxWorkers(): number;
  setWorkers(count: number, signal: AbortSignal): Promise<void>;
  pauseIntake(signal: AbortSignal): Promise<void>;
  resumeIntake(signal: AbortSignal): Promise<void>;
  /** Sets the job aside, whole, with the digest of its payload. */
  deadLetter(job: string, signal: AbortSignal): Promise<void>;
  /** Puts it back where it was. */
  reinsert(job: string, signal: AbortSignal): Promise<void>;
}

export interface AgentProgress {
  /** Changes with each bit of progress. */
  token: string;
  /** How often the last call was made with the same arguments, in a row. */
  repeatedCalls: number;
  /** Ms since the token changed. */
  silentMs: number;
  /** Whether a turn is under way: after `cancelTurn` one that does not obey still is. */
  isTurning: boolean;
}

/** An agent at its work, turn by turn. */
export interface AgentAdapter extends Probed {
  readonly kind: 'agent';
  progress(signal: AbortSignal): Promise<AgentProgress>;
  /** Whether progress was made since the turn began. */
  advances(signal: AbortSignal): Promise<Reading>;
  /** Keeps how far it came, so that `resume` goes on from there. */
  checkpoint(signal: AbortSignal): Promise<void>;
  /** Asks the turn to end, and waits a while for it. */
  cancelTurn(signal: AbortSignal): Promise<void>;
  /** Begins a turn at the checkpoint, with a word on what to do differently; none: as before. */
  resume(hint: string, signal: AbortSignal): Promise<void>;
  /** Ends the turn whether it obeys or not. */
  end(signal: AbortSignal): Promise<void>;
}

/** What a service has installed: its `node_modules`. */
export interface ModulesAdapter extends Probed {
  readonly kind: 'modules';
  isDeclared(name: string, signal: AbortSignal): Promise<boolean>;
  /** Declared packages whose files are not as they were installed. */
  broken(signal: AbortSignal): Promise<readonly string[]>;
  /** Puts the declared package back from the snapshot; what was there is kept. */
  restore(name: string, signal: AbortSignal): Promise<void>;
  /** Takes back `restore`: what was there before is there again. */
  putBack(name: string, signal: AbortSignal): Promise<void>;
}

/** The kinds of resources, and the port for each. */
export interface ResourceAdapters {
  service: ServiceAdapter;
  launch: LaunchAdapter;
  vitals: VitalsAdapter;
  port: PortAdapter;
  endpoint: EndpointAdapter;
  sqlite: SqliteAdapter;
  postgres: PostgresAdapter;
  disk: DiskAdapter;
  config_file: ConfigFileAdapter;
  credential: CredentialAdapter;
  dns: DnsAdapter;
  tls: TlsAdapter;
  quota: QuotaAdapter;
  model_server: ModelServerAdapter;
  sandbox: SandboxAdapter;
  guardrails: GuardrailsAdapter;
  queue: QueueAdapter;
  agent: AgentAdapter;
  modules: ModulesAdapter;
}

export type ResourceKind = keyof ResourceAdapters;
export type AnyAdapter = ResourceAdapters[ResourceKind];
