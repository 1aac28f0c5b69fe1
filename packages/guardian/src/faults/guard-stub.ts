import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Guard } from '../adapters/guardrails/receipt-gate.ts';
import { defineFault } from './define-fault.ts';
import { AVAILABLE } from './host.ts';

const MODES = ['allowAll', 'throw', 'hang'] as const;
type Mode = (typeof MODES)[number];

/** A guard that can be made to misbehave. */
export interface StubbableGuard extends Guard {
  /** How it misbehaves now; undefined: it does not. */
  stub: Mode | undefined;
}

/**
 * A guard that decides as the given one does, until `guardStub` says otherwise.
 * @example
 * const guard = createStubbableGuard(realGuard);
 * const gate = createReceiptGate({ guard, canaries, pinnedDigest });
 * await using fault = await kit.inject(guardStub, { guard, mode: 'allowAll', denied: canaries.deny });
 */
export function createStubbableGuard(guard: Guard): StubbableGuard {
  const stubbed: StubbableGuard = {
    stub: undefined,
    decide: async (call, signal) => {
      switch (stubbed.stub) {
        case undefined:
          return guard.decide(call, signal);
        case 'allowAll':
          return 'allow';
        case 'throw':
          throw new Error('the guard is broken on purpose');
        case 'hang':
          return new Promise<never>(() => undefined);
      }
    },
    policyDigest: () => guard.policyDigest(),
    reload: (signal) => guard.reload(signal),
  };
  if (guard.reloadPrevious)
    stubbed.reloadPrevious = (signal) => guard.reloadPrevious?.(signal) ?? Promise.resolve();
  if (guard.keptDigest)
    stubbed.keptDigest = (signal) =>
      guard.keptDigest?.(signal) ?? Promise.resolve(guard.policyDigest());
  if (guard.revokeGrants)
    stubbed.revokeGrants = (signal) => guard.revokeGrants?.(signal) ?? Promise.resolve();
  return stubbed;
}

const ANSWER_MS = 100;

/** A guard allows everything, throws, or says nothing. It lives in this process, and is gone with it. */
export const guardStub = defineFault({
  kind: 'guardStub',
  description: 'A guard allows everything, throws, or says nothing.',
  options: z.strictObject({
    guard: z.custom<StubbableGuard>(
      (value) => typeof value === 'object' && value !== null && 'stub' in value,
      'must be made by createStubbableGuard',
    ),
    mode: z.enum(MODES),
    /** A call that is denied when all is well: it is asked about, to see what the guard does. */
    denied: z.strictObject({ id: z.string(), tool: z.string(), args: z.unknown() }),
  }),
  note: z.strictObject({ mode: z.enum(MODES) }),
  caps: { seconds: 120, bytes: 0 },
  capability: () => AVAILABLE,
  open: async ({ guard, mode, denied }) => ({
    note: { mode },
    isPresent: async (signal) => (await behaviour(guard, denied, signal)) === mode,
    apply: async () => {
      guard.stub = mode;
    },
    revert: async () => {
      guard.stub = undefined;
    },
  }),
  recover: async () => undefined,
});

async function behaviour(
  guard: Guard,
  denied: { id: string; tool: string; args?: unknown },
  signal: AbortSignal,
): Promise<Mode | undefined> {
  const silence = sleep(ANSWER_MS, 'hang' as const, { signal });
  const decision = guard.decide({ ...denied, args: denied.args }, signal).then(
    (verdict) => (verdict === 'allow' ? ('allowAll' as const) : undefined),
    () => 'throw' as const,
  );
  return Promise.race([decision, silence]);
}
