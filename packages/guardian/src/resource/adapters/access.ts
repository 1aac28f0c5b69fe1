import type { Probed } from './probed.ts';

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
