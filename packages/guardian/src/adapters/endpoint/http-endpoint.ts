import type { LookupFunction } from 'node:net';
import { type Clock, type NewId, parseOrThrow, randomId, systemClock } from '@buddy/core';
import { GuardianMisuseError } from '../../errors.ts';
import { createLagMeter, type LagMeter } from '../../probes/lag-meter.ts';
import { retryAfterOf } from '../../probes/layers/retry-after.ts';
import type { EndpointAdapter } from '../../resource/adapters/network.ts';
import { SignWatchers } from '../sign-watchers.ts';
import { AnswerCache } from './answer-cache.ts';
import { Breaker } from './breaker.ts';
import { type HttpEndpointInput, HttpEndpointOptions } from './endpoint-options.ts';
import { type EndpointAnswer, type EndpointRequest, HttpClient } from './http-client.ts';
import { type Delivery, deliveryOfError, Outbox } from './outbox.ts';
import { PathLooks } from './path-looks.ts';
import { RequestSender, type Routing } from './request-sender.ts';
import { TrafficSigns } from './traffic-signs.ts';

export interface HttpEndpointPorts {
  clock?: Clock;
  lag?: LagMeter;
  /** How names become addresses, for example `lookup` of `createDnsResolvers`. Default: the system's way. */
  lookup?: LookupFunction;
  newId?: NewId;
}

export interface HttpEndpoint extends EndpointAdapter {
  /** Where to send the next request, for those who send it themselves. */
  currentUrl(): string;
  /**
   * Sends a request by the path in use. What may be repeated (GET, HEAD) is hedged when hedging is on.
   * @throws {EndpointUnavailableError} When nobody answers in time, or the breaker is open.
   */
  send(request: EndpointRequest, signal?: AbortSignal): Promise<EndpointAnswer>;
  /**
   * For what can wait: it is kept, and delivered in order, at least once, with an `idempotency-key`. With an `outbox.file`
   * it outlives the process.
   * @throws {OutboxFullError}
   */
  deliver(request: EndpointRequest): Promise<'delivered' | 'held'>;
  /** Requests that the other side refused for good (4xx); they stay in the outbox's file. */
  refusedRequests(): number;
  /** Ends connections and retries. What is kept in a file is delivered by the next process. */
  close(): Promise<void>;
}

/**
 * Something remote over HTTP that can be reached by more than one way. Send by `send` and `deliver`, or ask `currentUrl` for
 * each request, and it goes the way that works.
 * @throws {InvalidInputError} When the options are not usable.
 * @example
 * const billing = createHttpEndpoint({ paths: { primary: 'https://a.example/', replica: 'https://b.example/' } });
 * const { status } = await billing.send({ path: '/invoices/7' });
 */
export function createHttpEndpoint(
  input: HttpEndpointInput,
  ports: HttpEndpointPorts = {},
): HttpEndpoint {
  const { clock = systemClock, lag = createLagMeter(clock), lookup } = ports;
  const { newId = randomId('request') } = ports;
  const options = parseOrThrow(HttpEndpointOptions, input, 'an HTTP endpoint');
  const names = Object.keys(options.paths);
  const known = <T>(value: T | undefined, path: string): T => {
    if (value !== undefined) return value;
    throw new GuardianMisuseError(`There is no path "${path}"; there are ${names.join(', ')}.`);
  };
  const wayOf = (path: string) => known(options.paths[path], path);
  const breakers = new Map(names.map((name) => [name, new Breaker(options.breaker, clock)]));
  const breakerOf = (path: string) => known(breakers.get(path), path);
  const routing: Routing = { paths: names, current: names[0] ?? '', hedgeAfterMs: undefined };
  const client = new HttpClient({ lookup, ca: options.ca });
  const looks = new PathLooks(options, { clock, lag, lookup, wayOf });
  const closing = new AbortController();
  const traffic = new TrafficSigns(clock);
  const watchers = new SignWatchers();
  const sender = new RequestSender({
    routing,
    clock,
    timeoutMs: options.timeoutMs,
    client,
    cache: new AnswerCache(options.stale, clock),
    wayOf,
    breakerOf,
    exchange: (path, signal) => looks.exchange(path, signal),
    onUnanswered: (failure) => {
      const sign = failure.path === routing.current ? traffic.signOf(failure) : undefined;
      if (sign) watchers.tell(sign);
    },
    signal: closing.signal,
  });
  const deliverOnce = async (request: EndpointRequest, key: string): Promise<Delivery> => {
    const headers = { ...request.headers, 'idempotency-key': key };
    return sender.attempt(routing.current, { ...request, headers }).then(
      (answer) => deliveryOf(answer, clock.now()),
      (error: unknown) => deliveryOfError(error),
    );
  };
  let outbox: Outbox | undefined;
  const openOutbox = (): Outbox =>
    (outbox ??= new Outbox(options.outbox, { clock, newId, send: deliverOnce }));
  // What a former process left is known from the start.
  if (options.outbox.file !== ':memory:') openOutbox();
  let concurrency = options.concurrency;

  return {
    kind: 'endpoint',
    watch: watchers.watch,
    paths: () => names,
    currentPath: () => routing.current,
    currentUrl: () => wayOf(routing.current).url,
    baselineMs: (path) => looks.baselineMs(path),
    measure: (path, signal) => looks.measure(path, signal),
    reach: (path, signal) => looks.reach(path, signal),
    exchange: (path, signal) => looks.exchange(path, signal),
    probe: async (signal) => looks.judge(await looks.measure(routing.current, signal)),
    usePath: async (path) => {
      wayOf(path);
      routing.current = path;
    },
    resetConnections: async () => client.dropConnections(),
    concurrencyLimit: () => concurrency,
    limitConcurrency: async (most) => {
      concurrency = most;
    },
    breakerOf: (path) => breakerOf(path).state,
    openBreaker: async (path) => {
      const breaker = breakerOf(path);
      if (breaker.state !== 'open') breaker.open();
    },
    closeBreaker: async (path) => breakerOf(path).close(),
    hedgeAfterMs: () => routing.hedgeAfterMs,
    hedge: async (afterMs) => {
      routing.hedgeAfterMs = afterMs;
    },
    stopHedging: async () => {
      routing.hedgeAfterMs = undefined;
    },
    heldRequests: () => outbox?.held ?? 0,
    refusedRequests: () => outbox?.refused ?? 0,
    isHolding: () => outbox?.isHolding ?? false,
    holdRequests: async () => openOutbox().hold(),
    releaseRequests: async () => outbox?.release(),
    send: (request, signal) => sender.send(request, signal),
    deliver: (request) => openOutbox().deliver(request),
    close: async () => {
      closing.abort('closed');
      client.dropConnections();
      await Promise.all([sender.idle(), outbox?.close()]);
    },
  };
}

function deliveryOf({ status, headers }: EndpointAnswer, now: number): Delivery {
  if (status < 400) return { is: 'delivered' };
  const isLater = status === 408 || status === 425 || status === 429 || status >= 500;
  if (!isLater) return { is: 'refused', status };
  const until = retryAfterOf(headers['retry-after'], now);
  return { is: 'failed', retryAfterMs: until === undefined ? undefined : until - now };
}
