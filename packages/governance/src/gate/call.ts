import type { Actor, Tier } from '@buddy/core';
import { z } from 'zod';

/** One intended call, whatever framework it comes from: what each adapter makes for the gate. */
export interface GatedCall<Output> {
  /** The tool's name; for an undo, that and `.undo`. */
  action: string;
  /** Absent where the framework knows no tiers; then only a rule can say, and without one the action is unknown. */
  declaredTier?: Tier;
  /** Names the tool's version: of what its description and schema are. An approval holds for no other. */
  toolDigest: string;
  /** As it came; the gate decides on, and hands on, a snapshot of it. */
  input: unknown;
  actor: Actor;
  rationale: string;
  /** The same for every attempt at one piece of work; what an approval is found by. Or how to make it of the snapshot. */
  idempotencyKey: string | ((input: unknown) => string);
  runId?: string;
  taskId?: string;
  /** What whoever describes it said that cannot be understood; nothing of it repeated. Such a call is refused. */
  problem?: string;
  /** Aborted when nobody waits for it any more. A call that is so before its intent is written is not made. */
  signal?: AbortSignal;
  /**
   * Whether a request that has expired or was taken back is made anew. For callers that have one key for all their tries:
   * else nobody could ever be asked again.
   */
  asksAgain?: boolean;
  /**
   * What the tool would refuse these arguments with, as far as that can be told beforehand. Asked before people are, and
   * not at all where the policy says no. It acts on nothing.
   */
  findMisfit?: (input: unknown) => Misfit | Promise<Misfit>;
  /** Whether there is a way to take it back. */
  canBeTakenBack?: boolean;
  /** What this takes back, when it is an undo: a call by the same actor, with the same arguments and that result. */
  takesBack?: { action: string; resultDigest: string };
  /** Does it, with the snapshot. Called once, and only after the intent is on the disk. */
  perform(input: unknown): Promise<Output>;
}

export type Misfit = Error | undefined;

/** What a call took, as far as its output tells; counted against limits and kept in the log. */
export const CallUsage = z.strictObject({
  tokens: z.strictObject({ in: z.int().nonnegative(), out: z.int().nonnegative() }).exactOptional(),
  /** In minor units (cents). */
  cost: z
    .strictObject({ amount: z.int().nonnegative(), currency: z.string().regex(/^[A-Z]{3}$/) })
    .exactOptional(),
});
export type CallUsage = z.output<typeof CallUsage>;

/** Reads what a call took from its output. */
export type UsageOf = (action: string, output: unknown) => CallUsage;
