import type { AnyAdapter, ResourceAdapters, ResourceKind } from '../resource/kinds.ts';
import { effectNature } from '../resource/effects.ts';
import { HEALTHY, type Reading } from '../resource/reading.ts';
import { GuardianMisuseError } from '../errors.ts';

/**
 * What a stand-in says when it is asked: enough for a playbook of its kind to be followed to its end. In `otherwise`, what is
 * said in a second try, where one kind of trouble calls for other steps than another.
 */
type Answers = {
  readonly [Kind in ResourceKind]?: Partial<ResourceAdapters[Kind]> & {
    otherwise?: Partial<ResourceAdapters[Kind]>;
  };
};
export const MOODS = ['first', 'otherwise'] as const;
export type Mood = (typeof MOODS)[number];

const IDENTITY = { pid: 1, startTime: 'stand-in' };
const SICK: Reading = {
  status: 'FAILED',
  signal: 'stand_in',
  certainty: 'decisive',
  note: 'a stand-in',
};

const HOLDER = { id: 'holder', name: 'a stand-in', isOurs: true, idleMs: 60_000 };

const ANSWERS: Answers = {
  service: {
    state: async () => ({ is: 'running', identity: IDENTITY }),
    otherwise: {
      state: async () => ({ is: 'exited', exit: { code: 1, signal: null, stderrTail: '' } }),
    },
  },
  launch: {
    settings: () => ({
      release: 'second',
      mode: 'normal',
      memoryMb: 64,
      openFiles: 64,
      port: 9,
    }),
    usualMemoryMb: () => 64,
    caps: () => ({ memoryMb: 128, openFiles: 128 }),
    ports: () => [9, 10],
    isFree: async () => true,
    hasSafeMode: () => true,
    lastKnownGood: () => 'first',
    isOurs: async () => true,
    otherwise: { isOurs: async () => false },
  },
  vitals: {
    read: async () => ({
      identity: IDENTITY,
      memory: { usedBytes: 64, limitBytes: 64 },
      residentBytes: 64,
      openFiles: { count: 64, limit: 64 },
      loopDelayMs: 60_000,
    }),
    canOpen: async (count) => count === 0,
    canCapture: () => true,
  },
  port: {
    host: '127.0.0.1',
    port: 9,
    connect: async () => HEALTHY,
    exchange: async () => SICK,
    owner: async () => ({ is: 'process', identity: IDENTITY }),
  },
  endpoint: {
    paths: () => ['first', 'second', 'third'],
    currentPath: () => 'first',
    measure: async (path) =>
      path === 'first'
        ? { path, medianMs: undefined, lostShare: 1 }
        : { path, medianMs: 1, lostShare: 0 },
    reach: async () => HEALTHY,
    exchange: async (path) => (path === 'first' ? SICK : HEALTHY),
    baselineMs: () => 1,
    concurrencyLimit: () => 8,
    breakerOf: () => 'closed',
    hedgeAfterMs: () => undefined,
    heldRequests: () => 0,
    isHolding: () => false,
  },
  sqlite: {
    check: async () => SICK,
    backups: async () => [{ id: 'backup', takenAt: 0 }],
    checkBackup: async () => HEALTHY,
    hasJournal: () => true,
    lockHolders: async () => [HOLDER],
    writerLimit: () => 4,
  },
  postgres: {
    target: () => 'first',
    targets: () => ['first', 'second'],
    probeTarget: async (target) => (target === 'first' ? SICK : HEALTHY),
    server: async () => 'running',
    lockHolders: async () => [HOLDER],
    writerLimit: () => 4,
    otherwise: { server: async () => 'not_ours' },
  },
  audit_log: {
    segment: () => ({ id: 'first', continues: undefined }),
    isSealed: async () => false,
    isFrozen: async () => false,
  },
  disk: {
    space: async () => ({
      freeBytes: 0,
      freeInodes: 100,
      reserveBytes: 100_000,
      reserveInodes: 10,
      ballastBytes: 500_000,
      fullBallastBytes: 1_000_000,
    }),
    canWrite: async () => SICK,
    writers: async () => 'writing',
    reclaimable: async () => [{ path: 'old.log', bytes: 1_000_000, changedAt: 0 }],
  },
  config_file: {
    check: async () => SICK,
    digest: async () => 'bad',
    lastKnownGood: async () => 'good',
    consumerGeneration: async () => 'good',
    otherwise: { check: async () => HEALTHY }, // valid, and not taken by its reader
  },
  credential: {
    version: () => 'old',
    versions: async () => ['old', 'new'],
    wasRefused: (version) => version === 'old',
    isCalling: () => true,
    otherwise: { versions: async () => ['old'] },
  },
  dns: {
    resolvers: () => ['127.0.0.1', '127.0.0.2'],
    current: () => ['127.0.0.1'],
    names: () => ['name.test'],
    lookUp: async () => ['127.0.0.1'],
    examine: async () => HEALTHY,
    connects: async () => HEALTHY,
    lastGood: () => ({ addresses: ['127.0.0.1'], at: 0 }),
    pinned: () => undefined,
    otherwise: { examine: async () => SICK },
  },
  tls: {
    certificate: async () => undefined,
    servesCurrent: async () => SICK,
    contexts: () => ['old', 'new'],
    currentContext: () => 'old',
  },
  quota: {
    routes: () => ['first', 'second'],
    route: () => 'first',
    exhaustedUntil: (route) => (route === 'first' ? 1 : undefined),
    waitsUntil: () => undefined,
    isShedding: () => false,
    otherwise: { routes: () => ['first'] },
  },
  model_server: {
    answers: async () => SICK,
    models: () => ['model'],
    loaded: async () => [],
    generateOneToken: async () => SICK,
    route: () => 'first',
    routes: () => ['first', 'second'],
    limits: () => ({ parallel: 4, contextTokens: 8_192 }),
  },
  sandbox: {
    escapeCanaries: async () => SICK,
    smokeTest: async () => SICK,
    jobs: async () => ['job'],
  },
  guardrails: {
    canaries: async () => ({ mustDeny: false, mustAllow: true }),
    receipts: async () => ({ effects: 2, withReceipt: 1 }),
    policyDigest: async () => ({ loaded: 'other', pinned: 'pinned' }),
    isFrozen: async () => false,
  },
  queue: {
    head: async () => ({ job: 'job', ageMs: 60_000, failures: 5 }),
    poisoned: async () => ['job'],
    drains: async () => SICK,
    isIntakePaused: async () => false,
    workers: () => 1,
    maxWorkers: () => 2,
    otherwise: { poisoned: async () => [] }, // too much to do, and all of it can be done
  },
  agent: {
    progress: async () => ({ token: 'same', repeatedCalls: 9, silentMs: 1, isTurning: true }),
    advances: async () => SICK,
  },
  modules: { isDeclared: async () => true, broken: async () => ['package'] },
};

/**
 * Stands in for a resource in a dry run, where there is no real one: sick, as far as a playbook asks. It can do nothing.
 * A question that it has no answer to is a rejection that says so.
 */
export function standInFor(kind: ResourceKind, mood: Mood): AnyAdapter {
  const { otherwise, ...first } = ANSWERS[kind] ?? {};
  const now = mood === 'first' ? {} : otherwise;
  const answers: object = { probe: async () => SICK, ...first, ...now, kind };
  // Its answers are of the kind's own types; what is missing rejects when it is asked for, below.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return new Proxy(answers, {
    get: (target, name): unknown => {
      if (typeof name !== 'string' || Object.hasOwn(target, name)) return Reflect.get(target, name);
      if (name === 'watch') return undefined;
      const isEffect = effectNature(kind, name) !== undefined;
      return async () => {
        throw new GuardianMisuseError(
          isEffect
            ? `${kind}.${name} was called for real in a dry run.`
            : `The stand-in for a resource of kind ${kind} has no answer to ${name}.`,
        );
      };
    },
  }) as AnyAdapter;
}
