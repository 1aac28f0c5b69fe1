import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Clock, systemClock } from '@buddy/core';
import { BuddyError } from '@buddy/core';
import type { Sign } from '../../resource/adapters/probed.ts';
import type { GuardrailsAdapter } from '../../resource/adapters/safeguards.ts';
import type { Reading } from '../../resource/reading.ts';
import { failed } from '../../probes/layers/layer.ts';
import { createLagMeter } from '../../probes/lag-meter.ts';
import { takeSample } from '../../probes/sampler.ts';

/** A call that a guard is asked about. */
export interface GuardedCall {
  id: string;
  tool: string;
  /** JSON. */
  args: unknown;
}

/** What decides. It may be wrong, throw or hang: that is what the gate in front of it is for. */
export interface Guard {
  decide(call: GuardedCall, signal: AbortSignal): Promise<'allow' | 'deny'>;
  /** Digest of the policy that is loaded. */
  policyDigest(): string;
  /** Loads the pinned policy again. */
  reload(signal: AbortSignal): Promise<void>;
  /** Loads the policy that was pinned before. Without it, the gate denies everything instead. */
  reloadPrevious?(signal: AbortSignal): Promise<void>;
  /** Digest of the policy where it is kept: it may have been changed there and not been loaded yet. */
  keptDigest?(signal: AbortSignal): Promise<string>;
  /** Calls `raise` when the policy changes where it is kept; returns what ends the watching. */
  watch?(raise: (sign: Sign) => void): () => void;
  revokeGrants?(signal: AbortSignal): Promise<void>;
}

export interface ReceiptGateOptions {
  guard: Guard;
  /** A call that must be denied, and one that must be allowed. They are asked about, and never made. */
  canaries: { deny: GuardedCall; allow: GuardedCall };
  /** Digest of the policy that should be loaded; a function, where a release may change it. */
  pinnedDigest: string | (() => string);
  /** A guard that says nothing for so long, in ms, has not allowed. Default 1 000. */
  timeoutMs?: number;
  clock?: Clock;
}

/** A call was not let through: the guard said no, did not answer, or all is frozen. Nothing was done. */
export class GateDeniedError extends BuddyError {
  readonly code = 'GUARDIAN_GATE_DENIED';
}

export interface ReceiptGate {
  /** Asks the guard; what comes back is proof that it allowed this very call, good for one effect. */
  admit(call: GuardedCall): Promise<string>;
  /** To be called by each tool when it acts, with the receipt that it was handed, if it was. */
  noteEffect(call: GuardedCall, receipt: string | undefined): void;
  /** Effects without a receipt that were set apart to be looked at. */
  readonly quarantined: readonly GuardedCall[];
  /** The gate as a resource of a guardian. */
  readonly adapter: GuardrailsAdapter;
}

/**
 * A gate whose every verdict is a receipt, so that an effect that came around the gate shows: an HMAC over the call, its
 * arguments and the policy, good for one effect. Fails closed: an error or silence of the guard is a denial.
 */
export function createReceiptGate(options: ReceiptGateOptions): ReceiptGate {
  const { guard, canaries, pinnedDigest, timeoutMs = 1_000, clock = systemClock } = options;
  const lag = createLagMeter(clock);
  const key = randomBytes(32);
  const unused = new Set<string>();
  const unreceipted: GuardedCall[] = [];
  const quarantined: GuardedCall[] = [];
  const pinned = () => (typeof pinnedDigest === 'string' ? pinnedDigest : pinnedDigest());
  const keptDigest = async (signal: AbortSignal) =>
    (await guard.keptDigest?.(signal)) ?? guard.policyDigest();
  let isFrozen = false;
  let effects = 0;
  let withReceipt = 0;

  const seal = ({ id, tool, args }: GuardedCall): string =>
    createHmac('sha256', key)
      .update(JSON.stringify([id, tool, hashOf(args), guard.policyDigest()]))
      .digest('base64url');
  const isValid = (call: GuardedCall, receipt: string | undefined): boolean => {
    if (receipt === undefined || !unused.delete(receipt)) return false;
    const [given, expected] = [Buffer.from(receipt), Buffer.from(seal(call))];
    return given.length === expected.length && timingSafeEqual(given, expected);
  };
  /** True only when the guard said so, in its time. */
  const isAllowed = async (call: GuardedCall, signal: AbortSignal): Promise<boolean> => {
    const request = {
      name: call.tool,
      timeoutMs,
      signal,
      look: async (own: AbortSignal) =>
        (await guard.decide(call, own)) === 'allow'
          ? ({ status: 'HEALTHY' } as const)
          : failed('guardrail.denied', 'decisive', 'denied'),
    };
    return (await takeSample({ clock, lag }, request)).status === 'HEALTHY';
  };
  const askCanaries = async (signal: AbortSignal) => {
    const [isDenyAllowed, isAllowAllowed] = await Promise.all([
      isAllowed(canaries.deny, signal),
      isAllowed(canaries.allow, signal),
    ]);
    return { mustDeny: !isDenyAllowed, mustAllow: isAllowAllowed };
  };
  const freeze = async () => {
    isFrozen = true;
    unused.clear();
  };
  const adapter: GuardrailsAdapter = {
    kind: 'guardrails',
    canaries: askCanaries,
    receipts: async () => ({ effects, withReceipt }),
    policyDigest: async (signal) => ({
      loaded: guard.policyDigest(),
      pinned: pinned(),
      kept: await keptDigest(signal),
    }),
    isFrozen: async () => isFrozen,
    probe: async (signal) => {
      const { mustDeny, mustAllow } = await askCanaries(signal);
      if (!mustDeny) return bypassed('what must be denied is allowed');
      if (withReceipt < effects)
        return bypassed(`${effects - withReceipt} effects without a receipt`);
      if (guard.policyDigest() !== pinned()) {
        return failed('policy.drifted', 'decisive', 'the policy in force is not the pinned one');
      }
      if ((await keptDigest(signal)) !== pinned()) {
        return failed('policy.drifted', 'decisive', 'the policy was changed where it is kept');
      }
      if (!mustAllow)
        return failed('guardrail.broken', 'decisive', 'what must be allowed is denied');
      if (!isFrozen) return { status: 'HEALTHY' };
      return { status: 'DEGRADED', signal: 'guardrail.frozen', note: 'everything is denied' };
    },
    ...(guard.watch && { watch: (raise) => guard.watch?.(raise) ?? (() => undefined) }),
    freeze,
    unfreeze: async () => {
      isFrozen = false;
    },
    reloadPinnedPolicy: (signal) => guard.reload(signal),
    loadPreviousPolicy: (signal) => guard.reloadPrevious?.(signal) ?? freeze(),
    revokeGrants: async (signal) => {
      unused.clear();
      await guard.revokeGrants?.(signal);
    },
    quarantineUnreceipted: async () => {
      quarantined.push(...unreceipted.splice(0));
      effects = withReceipt;
    },
  };
  return {
    adapter,
    quarantined,
    admit: async (call) => {
      if (isFrozen)
        throw new GateDeniedError(`${call.tool}: the gate is frozen, everything is denied.`);
      if (!(await isAllowed(call, new AbortController().signal))) {
        throw new GateDeniedError(`${call.tool}: the guard has not allowed it.`);
      }
      if (isFrozen) throw new GateDeniedError(`${call.tool}: the gate was frozen meanwhile.`);
      const receipt = seal(call);
      unused.add(receipt);
      return receipt;
    },
    noteEffect: (call, receipt) => {
      effects += 1;
      if (isValid(call, receipt)) withReceipt += 1;
      else unreceipted.push(call);
    },
  };
}

function hashOf(args: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(args) ?? '')
    .digest('hex');
}

function bypassed(note: string): Reading {
  return failed('guardrail.bypassed', 'decisive', note);
}
