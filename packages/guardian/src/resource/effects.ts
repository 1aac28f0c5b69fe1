import type { ResourceAdapters, ResourceKind } from './kinds.ts';

/** The methods of an adapter that change something: those that answer nothing. */
export type EffectMethod<Kind extends ResourceKind> = {
  [Method in keyof ResourceAdapters[Kind]]-?: ResourceAdapters[Kind][Method] extends (
    ...args: never[]
  ) => Promise<infer Answer>
    ? [Answer] extends [void]
      ? Method & string
      : never
    : never;
}[keyof ResourceAdapters[Kind]];

/** `interrupts` takes something away for a while: never for the last healthy member, never while a quota is used up. */
export type EffectNature = 'interrupts' | 'changes';

/**
 * Every effect of every kind. The type demands each of them, so that no effect of a port can be forgotten here and pass
 * unguarded.
 */
export const EFFECTS: {
  readonly [Kind in ResourceKind]: Readonly<Record<EffectMethod<Kind>, EffectNature>>;
} = {
  service: { start: 'interrupts', stop: 'interrupts' },
  launch: {
    useRelease: 'changes',
    useMode: 'changes',
    limitMemory: 'changes',
    limitOpenFiles: 'changes',
    usePort: 'changes',
  },
  vitals: { shed: 'changes', capture: 'changes' },
  port: {},
  endpoint: {
    usePath: 'changes',
    resetConnections: 'changes',
    limitConcurrency: 'changes',
    openBreaker: 'changes',
    closeBreaker: 'changes',
    hedge: 'changes',
    stopHedging: 'changes',
    holdRequests: 'changes',
    releaseRequests: 'changes',
  },
  sqlite: {
    endTransaction: 'changes',
    limitWriters: 'changes',
    stopWriters: 'interrupts',
    resumeWriters: 'changes',
    quarantine: 'interrupts',
    putBack: 'changes',
    restore: 'changes',
    replayJournal: 'changes',
    checkpoint: 'changes',
  },
  postgres: {
    endTransaction: 'changes',
    limitWriters: 'changes',
    dropPool: 'changes',
    useTarget: 'changes',
    startServer: 'interrupts',
    stopServer: 'interrupts',
  },
  // Nothing may stand in the way of what keeps the evidence.
  audit_log: { freeze: 'changes', seal: 'changes', openSegment: 'changes' },
  disk: {
    pauseWriters: 'changes',
    resumeWriters: 'changes',
    releaseBallast: 'changes',
    armBallast: 'changes',
    reclaim: 'changes',
    putBack: 'changes',
  },
  config_file: {
    keepCopy: 'changes',
    restoreLastKnownGood: 'changes',
    putBack: 'changes',
    reload: 'changes',
  },
  credential: { useVersion: 'changes', stopCalling: 'changes', resumeCalling: 'changes' },
  dns: { useResolvers: 'changes', pin: 'changes', unpin: 'changes' },
  tls: { renewContext: 'changes', useContext: 'changes' },
  quota: {
    useRoute: 'changes',
    waitUntil: 'changes',
    stopWaiting: 'changes',
    shedLowPriority: 'changes',
    stopShedding: 'changes',
  },
  model_server: {
    start: 'interrupts',
    stop: 'interrupts',
    stopRunner: 'interrupts',
    preload: 'changes',
    unload: 'changes',
    routeTo: 'changes',
    setLimits: 'changes',
  },
  sandbox: {
    // What may have been broken out of is ended, whoever stands in for it: nothing may stand in the way.
    destroy: 'changes',
    rebuild: 'changes',
    revokeGrants: 'changes',
    requeueOnce: 'changes',
    quarantineJob: 'changes',
  },
  guardrails: {
    // Denying everything is the safe direction: nothing may stand in its way.
    freeze: 'changes',
    unfreeze: 'changes',
    reloadPinnedPolicy: 'changes',
    loadPreviousPolicy: 'changes',
    revokeGrants: 'changes',
    quarantineUnreceipted: 'changes',
  },
  queue: {
    setWorkers: 'changes',
    pauseIntake: 'changes',
    resumeIntake: 'changes',
    deadLetter: 'changes',
    reinsert: 'changes',
  },
  agent: {
    checkpoint: 'changes',
    cancelTurn: 'interrupts',
    resume: 'changes',
    end: 'interrupts',
  },
  modules: { restore: 'changes', putBack: 'changes' },
};

/** What an effect is, by kind and method; undefined when the method only looks. */
export function effectNature(kind: ResourceKind, method: string): EffectNature | undefined {
  const effects: Readonly<Record<string, EffectNature>> = EFFECTS[kind];
  return Object.hasOwn(effects, method) ? effects[method] : undefined;
}
