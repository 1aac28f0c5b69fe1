import { BuddyError, type Clock, describeFailure } from '@buddy/core';
import type { Reading } from '../../resource/reading.ts';
import type { AnswerCache } from './answer-cache.ts';
import type { Breaker } from './breaker.ts';
import type { EndpointAnswer, EndpointRequest, HttpClient, HttpWay } from './http-client.ts';

/** No path answers, and no old answer may be given. */
export class EndpointUnavailableError extends BuddyError {
  readonly code = 'GUARDIAN_ENDPOINT_UNAVAILABLE';
}

/** Which path is in use, and after how long another is tried beside it. */
export interface Routing {
  readonly paths: readonly string[];
  current: string;
  hedgeAfterMs: number | undefined;
}

interface RequestSenderParts {
  routing: Routing;
  clock: Clock;
  timeoutMs: number;
  client: HttpClient;
  cache: AnswerCache;
  wayOf: (path: string) => HttpWay;
  breakerOf: (path: string) => Breaker;
  exchange: (path: string, signal: AbortSignal) => Promise<Reading>;
  /** Aborted when all is over. */
  signal: AbortSignal;
}

const LATE = 'late';

/** Sends requests by the path in use, past breakers, hedged when that is wanted. */
export class RequestSender {
  readonly #parts: RequestSenderParts;
  #goingBack: Promise<void> | undefined;

  constructor(parts: RequestSenderParts) {
    this.#parts = parts;
  }

  async send(request: EndpointRequest, signal?: AbortSignal): Promise<EndpointAnswer> {
    const { routing, cache } = this.#parts;
    const own = signal ?? this.#parts.signal;
    const method = request.method ?? 'GET';
    const isRepeatable = method === 'GET' || method === 'HEAD';
    this.#tryToGoBack();
    try {
      const answer =
        isRepeatable && routing.hedgeAfterMs !== undefined
          ? await this.#attemptHedged(request, routing.hedgeAfterMs, own)
          : await this.attempt(routing.current, request, own);
      if (method === 'GET') cache.keep(request, answer);
      return answer;
    } catch (error) {
      const old = method === 'GET' ? cache.find(request) : undefined;
      if (old === undefined || own.aborted) throw error;
      return { ...old, isStale: true };
    }
  }

  /** One request by one path, in its time; the path's breaker learns from it. */
  async attempt(
    path: string,
    request: EndpointRequest,
    signal: AbortSignal = this.#parts.signal,
  ): Promise<EndpointAnswer> {
    const { breakerOf, client, clock, timeoutMs, wayOf } = this.#parts;
    const breaker = breakerOf(path);
    if (breaker.state === 'open') {
      throw new EndpointUnavailableError(
        `Nobody answers by ${path}; it is left alone for ${Math.ceil(breaker.restMs)} ms.`,
        { retryable: true, retryAfterMs: breaker.restMs },
      );
    }
    signal.throwIfAborted();
    const own = new AbortController();
    const over = new AbortController();
    const abort = () => own.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    void clock.sleep(timeoutMs, over.signal).then(
      () => own.abort(LATE),
      () => undefined, // it was answered
    );
    try {
      const answer = await clock.external(() => client.send(wayOf(path), request, own.signal));
      breaker.noteAnswer();
      return { ...answer, path, isStale: false };
    } catch (error) {
      signal.throwIfAborted();
      const isLate = own.signal.reason === LATE;
      // What fails at once costs nobody time: silence alone is what a breaker is for.
      if (isLate) breaker.noteSilence();
      throw unavailable(path, error, isLate ? timeoutMs : undefined);
    } finally {
      signal.removeEventListener('abort', abort);
      over.abort('over');
    }
  }

  async idle(): Promise<void> {
    await this.#goingBack;
  }

  /** A second try by another path when the first is slow or fails; whoever answers first has answered. */
  async #attemptHedged(
    request: EndpointRequest,
    afterMs: number,
    signal: AbortSignal,
  ): Promise<EndpointAnswer> {
    const { routing, breakerOf, clock } = this.#parts;
    const { current, paths } = routing;
    const other = paths.find((path) => path !== current && breakerOf(path).state === 'closed');
    if (other === undefined) return this.attempt(current, request, signal);
    const over = new AbortController();
    const own = AbortSignal.any([signal, over.signal]);
    const wait = new AbortController();
    const first = this.attempt(current, request, own);
    first.catch(() => wait.abort('the first failed'));
    const second = async (): Promise<EndpointAnswer> => {
      await clock.sleep(afterMs, AbortSignal.any([own, wait.signal])).catch(() => undefined);
      own.throwIfAborted();
      return this.attempt(other, request, own);
    };
    try {
      return await Promise.any([first, second()]);
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof AggregateError ? error.errors[0] : error;
    } finally {
      over.abort('answered');
    }
  }

  /** A path for which the one in use stands in is tried again once its rest is over: beside what is asked, not in its way. */
  #tryToGoBack(): void {
    const { routing, breakerOf, exchange, signal } = this.#parts;
    const better = routing.paths
      .slice(0, routing.paths.indexOf(routing.current))
      .find((path) => breakerOf(path).state === 'half_open');
    if (better === undefined || this.#goingBack || signal.aborted) return;
    const goBack = async (): Promise<void> => {
      const { status } = await exchange(better, signal);
      const breaker = breakerOf(better);
      if (breaker.state !== 'half_open') return; // somebody decided meanwhile
      if (status !== 'HEALTHY') {
        breaker.open();
        return;
      }
      breaker.close();
      routing.current = better;
    };
    this.#goingBack = goBack()
      .catch(() => undefined) // closed meanwhile
      .finally(() => {
        this.#goingBack = undefined;
      });
  }
}

/** Errors after which nothing can have reached the other side. */
const NOT_SENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

function unavailable(
  path: string,
  error: unknown,
  lateAfterMs: number | undefined,
): EndpointUnavailableError {
  const { code, message } = describeFailure(error);
  const why = lateAfterMs === undefined ? message : `no answer within ${lateAfterMs} ms`;
  return new EndpointUnavailableError(`Nobody answers by ${path}: ${why}.`, {
    cause: error,
    retryable: true,
    effect: lateAfterMs === undefined && NOT_SENT.has(code) ? 'none' : 'unknown',
  });
}
