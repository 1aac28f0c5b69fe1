import type { Reading } from '../reading.ts';
import type { Probed, Sign } from './probed.ts';
import type { ProcessIdentity } from './service.ts';

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
