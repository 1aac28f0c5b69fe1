import { Resolver } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { BuddyError, type Clock, parseOrThrow, systemClock } from '@buddy/core';
import { z } from 'zod';
import { GuardianMisuseError } from '../../errors.ts';
import { openSocket, readingOfConnectError } from '../../probes/layers/connect.ts';
import { errorCode, failed, unknown } from '../../probes/layers/layer.ts';
import type { DnsAdapter, KnownAddresses } from '../../resource/adapters/network.ts';
import type { Reading } from '../../resource/reading.ts';
import { SignWatchers } from '../sign-watchers.ts';

export const DnsResolversOptions = z.strictObject({
  /** Name servers, `10.0.0.2` or `127.0.0.1:5353`; the first is asked first. */
  servers: z.array(z.string().min(1)).min(1),
  /** Names that have to resolve, and the only addresses that are right for them; none given: any is. */
  names: z
    .record(z.string().min(1), z.array(z.union([z.ipv4(), z.ipv6()])))
    .refine((names) => Object.keys(names).length > 0, 'at least one name'),
  /** A server that says nothing for so long is given up, in ms; each is asked once. */
  timeoutMs: z.number().positive().default(500),
  /** An answer that takes longer is DEGRADED, in ms. */
  slowMs: z.number().positive().default(250),
  /** An old answer may be given for so long after it came, in ms, when no server has one; so long a pin holds too. */
  staleMs: z.number().positive().default(86_400_000),
  /** Ports at which the addresses of a name have to accept, by name: what resolves to a dead address is not mended. */
  ports: z.record(z.string().min(1), z.int().min(1).max(65_535)).default({}),
  /** A name that nobody has: a server that knows it makes its answers up. */
  controlName: z.string().min(1).default('buddy-negative-control.invalid'),
});
export type DnsResolversInput = z.input<typeof DnsResolversOptions>;

/** No name server that is in use answers, and no old answer may be given. */
export class NameNotResolvedError extends BuddyError {
  readonly code = 'GUARDIAN_NAME_NOT_RESOLVED';
}

export interface DnsResolvers extends DnsAdapter {
  /**
   * The addresses of a name: pinned, or of the first server in use that knows it, or, when none answers, the last good ones.
   * @throws {NameNotResolvedError}
   */
  resolve(name: string, signal?: AbortSignal): Promise<readonly string[]>;
  /** `resolve` as the `lookup` of `net.connect`, `http.request` and their kin. */
  readonly lookup: LookupFunction;
}

/** What a look at one server says of one name. */
type Answer =
  | { is: 'known'; addresses: readonly string[]; tookMs: number }
  | { is: 'bad'; reading: Reading };

/**
 * Names over name servers of its own, asked by UDP, so that a sick one can be left and a known answer can be held on to. What
 * the system itself is set up with is not touched: hand `lookup` to what shall profit.
 *
 * IPv4 addresses alone are asked for.
 * @throws {InvalidInputError} When the options are not usable.
 * @example
 * const dns = createDnsResolvers({ servers: ['10.0.0.2', '10.0.0.3'], names: { 'billing.internal': [] } });
 * http.get('http://billing.internal/', { lookup: dns.lookup });
 */
export function createDnsResolvers(
  input: DnsResolversInput,
  { clock = systemClock }: { clock?: Clock } = {},
): DnsResolvers {
  const options = parseOrThrow(DnsResolversOptions, input, 'DNS resolvers');
  const { servers, controlName, slowMs, staleMs } = options;
  const rightOf = new Map(Object.entries(options.names));
  const known = new Map<string, KnownAddresses>();
  const pins = new Map<string, { addresses: readonly string[]; until: number }>();
  const watchers = new SignWatchers();
  let current: readonly string[] = servers;

  const lookUp = (name: string, server: string, signal: AbortSignal) =>
    askServer({ name, server, timeoutMs: options.timeoutMs, clock, signal });
  const isRight = (name: string, addresses: readonly string[]): boolean => {
    const right = rightOf.get(name) ?? [];
    return right.length === 0 || addresses.every((address) => right.includes(address));
  };
  const lastGood = (name: string): KnownAddresses | undefined => {
    const last = known.get(name);
    return last && clock.now() - last.at <= staleMs ? last : undefined;
  };
  const pinned = (name: string): readonly string[] | undefined => {
    const pin = pins.get(name);
    return pin && pin.until > clock.now() ? pin.addresses : undefined;
  };
  const ask = async (name: string, server: string, signal: AbortSignal): Promise<Answer> => {
    const startedAt = clock.monotonic();
    try {
      const addresses = await lookUp(name, server, signal);
      if (isRight(name, addresses)) {
        return { is: 'known', addresses, tookMs: clock.monotonic() - startedAt };
      }
      const note = `${server} says that ${name} is ${addresses.join(', ')}, which it is not`;
      return { is: 'bad', reading: failed('dns.wrong_answer', 'decisive', note) };
    } catch (error) {
      signal.throwIfAborted();
      return { is: 'bad', reading: readingOfDnsError(error, name, server) };
    }
  };
  const examine = async (server: string, signal: AbortSignal): Promise<Reading> => {
    const names = [...rightOf.keys()];
    const answers = await Promise.all(names.map((name) => ask(name, server, signal)));
    let slowest = 0;
    for (const answer of answers) {
      if (answer.is === 'bad') return answer.reading;
      slowest = Math.max(slowest, answer.tookMs);
    }
    const made = await ask(controlName, server, signal);
    if (made.is === 'known') {
      const note = `${server} knows ${controlName}, which nobody has: it makes its answers up`;
      return failed('dns.wrong_answer', 'decisive', note);
    }
    // Only now, for a server that makes answers up has none that is worth keeping.
    for (const [index, answer] of answers.entries()) {
      const name = names[index];
      if (answer.is === 'known' && name !== undefined) {
        known.set(name, { addresses: answer.addresses, at: clock.now() });
      }
    }
    if (slowest <= slowMs) return { status: 'HEALTHY' };
    const note = `${server} takes ${Math.round(slowest)} ms, ${slowMs} at most`;
    return { status: 'DEGRADED', signal: 'dns.slow', note };
  };
  const resolve = async (
    name: string,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<readonly string[]> => {
    const held = pinned(name);
    if (held) return held;
    let last: Reading | undefined;
    for (const server of current) {
      const answer = await ask(name, server, signal);
      if (answer.is === 'known') {
        known.set(name, { addresses: answer.addresses, at: clock.now() });
        return answer.addresses;
      }
      last = answer.reading;
      if (server === current[0] && last.status === 'FAILED') watchers.tell(last);
    }
    const stale = lastGood(name);
    if (stale) return stale.addresses;
    const why = last && 'note' in last ? last.note : 'no server is in use';
    throw new NameNotResolvedError(`${name} does not resolve: ${why ?? ''}`, { retryable: true });
  };
  return {
    kind: 'dns',
    watch: watchers.watch,
    resolvers: () => servers,
    current: () => current,
    names: () => [...rightOf.keys()],
    lookUp,
    examine,
    lastGood,
    pinned,
    resolve,
    lookup: lookupBy(resolve),
    connects: async (signal) => {
      for (const [name, port] of Object.entries(options.ports)) {
        const reading = await firstThatAccepts(await resolve(name, signal), port, signal);
        if (reading.status !== 'HEALTHY') return reading;
      }
      return { status: 'HEALTHY' };
    },
    /** A name that is pinned needs no server; the others are asked of the one that is asked first. */
    probe: async (signal) => {
      const [first = ''] = current;
      const open = [...rightOf.keys()].filter((name) => pinned(name) === undefined);
      if (open.length > 0) return examine(first, signal);
      return { status: 'HEALTHY', note: 'every name is pinned' };
    },
    useResolvers: async (wanted) => {
      const strange = wanted.find((server) => !servers.includes(server));
      if (strange !== undefined || wanted.length === 0) {
        throw new GuardianMisuseError(
          `There is no name server "${strange ?? ''}"; there are ${servers.join(', ')}.`,
        );
      }
      current = [...wanted];
    },
    pin: async (name, addresses) => {
      if (!rightOf.has(name)) throw new GuardianMisuseError(`${name} is none of the names.`);
      // As old as it is: an answer does not get younger by being held on to.
      const since = known.get(name)?.at ?? clock.now();
      pins.set(name, { addresses: [...addresses], until: since + staleMs });
    },
    unpin: async (name) => {
      pins.delete(name);
    },
  };
}

async function firstThatAccepts(
  addresses: readonly string[],
  port: number,
  signal: AbortSignal,
): Promise<Reading> {
  let last = unknown('probe_error', 'there is no address to connect to');
  for (const host of addresses) {
    try {
      (await openSocket({ host, port }, signal)).destroy();
      return { status: 'HEALTHY' };
    } catch (error) {
      signal.throwIfAborted();
      last = readingOfConnectError(error, { host, port });
    }
  }
  return last;
}

interface Question {
  name: string;
  server: string;
  timeoutMs: number;
  clock: Clock;
  signal: AbortSignal;
}

async function askServer({ name, server, timeoutMs, clock, signal }: Question): Promise<string[]> {
  signal.throwIfAborted();
  // The resolver's own timer may be late by its whole length: it is only the net under ours.
  const resolver = new Resolver({ timeout: 2 * timeoutMs, tries: 1 });
  resolver.setServers([server]);
  const cancel = () => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  const answered = new AbortController();
  let isLate = false;
  const giveUpInTime = async (): Promise<void> => {
    await clock.sleep(timeoutMs, answered.signal);
    isLate = true;
    cancel();
  };
  const late = giveUpInTime().catch(() => undefined); // it was answered
  try {
    return await clock.external(() => resolver.resolve4(name));
  } catch (error) {
    if (isLate) throw new SilentServerError(`${server} says nothing for ${timeoutMs} ms.`);
    throw error;
  } finally {
    signal.removeEventListener('abort', cancel);
    answered.abort('answered');
    await late;
  }
}

/** A name server did not answer in time. */
class SilentServerError extends BuddyError {
  readonly code = 'ETIMEOUT'; // as the resolver itself says it
}

function readingOfDnsError(error: unknown, name: string, server: string): Reading {
  const code = errorCode(error);
  switch (code) {
    case 'ENOTFOUND':
    case 'ENODATA':
      return failed('dns.nxdomain', 'decisive', `${server} knows no ${name}`);
    case 'ESERVFAIL':
      return failed('dns.servfail', 'decisive', `${server} cannot resolve ${name}`);
    case 'EREFUSED':
      return failed('dns.refused', 'decisive', `${server} does not answer us`);
    case 'ECONNREFUSED':
      return failed('dns.refused', 'decisive', `nobody listens at ${server}`);
    case 'ETIMEOUT':
      return failed('dns.timeout', 'ambiguous', `${server} says nothing of ${name}`);
    case undefined:
    default:
      return unknown('probe_error', `asking ${server} for ${name} failed (${code ?? 'no code'})`);
  }
}

function lookupBy(resolve: (name: string) => Promise<readonly string[]>): LookupFunction {
  return (name, { all }, callback) => {
    const answer = async (): Promise<void> => {
      let addresses: readonly string[];
      try {
        addresses = isIP(name) === 0 ? await resolve(name) : [name];
      } catch (error) {
        const failure = error instanceof Error ? error : new Error(String(error));
        callback(failure, all === true ? [] : '');
        return;
      }
      const found = addresses.map((address) => ({ address, family: isIP(address) }));
      const [first] = found;
      if (all === true) callback(null, found);
      else callback(null, first?.address ?? '', first?.family);
    };
    void answer();
  };
}
