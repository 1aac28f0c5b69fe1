import { type Clock, describeFailure, parseOrThrow, systemClock } from '@buddy/core';
import { z } from 'zod';
import { GuardianMisuseError } from '../../errors.ts';
import { errorCode, failed, unknown } from '../../probes/layers/layer.ts';
import type { ModelLimits, ModelServerAdapter } from '../../resource/adapters/model-server.ts';
import type { ServiceAdapter } from '../../resource/adapters/service.ts';
import { HEALTHY, type Reading } from '../../resource/reading.ts';
import { isAlive } from '../process/proc.ts';
import { sendSignal } from '../process/send-signal.ts';
import { childrenOf } from './child-processes.ts';
import { fullName, ollamaApi, OllamaRefusal } from './ollama-api.ts';
import { createSlots } from './request-slots.ts';

export const OllamaServerOptions = z.strictObject({
  /** Where the server is: `http://127.0.0.1:11434`. */
  url: z.url({ protocol: /^https?$/ }),
  /** Models that should be in memory. */
  models: z.array(z.string().min(1)).min(1),
  /** Another place with the same API, for requests while this one is away. */
  fallbackUrl: z.url({ protocol: /^https?$/ }).optional(),
  /** A server that does not even say its version within so many ms is down. */
  answerTimeoutMs: z.number().positive().default(1_000),
  /** One token has so many ms. Keep it below the guardian's `probeTimeoutMs`, and above what the first token takes when all is well. */
  tokenTimeoutMs: z.number().positive().default(1_500),
  /** Ms after a token that was really generated for somebody in which none is asked for only to see whether one comes. */
  freshMs: z.number().nonnegative().default(5_000),
  /** How long models stay in memory after a request. */
  keepAlive: z.string().default('30m'),
  /** Requests under way at once, by `ask`. */
  parallel: z.int().positive().default(4),
  /** Tokens of context of each. */
  contextTokens: z.int().positive().default(8_192),
  /** A server that was started has to answer within so many ms. */
  startWithinMs: z.number().positive().default(12_000),
});
export type OllamaServerInput = z.input<typeof OllamaServerOptions>;

export interface OllamaServerPorts {
  /** The process of the server. Without it the server can be looked at, and neither started nor stopped. */
  service?: ServiceAdapter;
  clock?: Clock;
}

export interface OllamaServer extends ModelServerAdapter {
  /**
   * Lets somebody ask the model: waits for a free slot, and says where requests go now and with how much context. What it
   * resolves to proves that the model generates.
   * @example
   * const answer = await ollama.ask(({ url, contextTokens }) => complete(url, prompt, contextTokens));
   */
  ask<T>(work: (to: { url: string; contextTokens: number }) => Promise<T>): Promise<T>;
}

const POLL_MS = 20;
const RUNNER_GONE_MS = 3_000;
const [HOME, FALLBACK] = ['home', 'fallback'];

/**
 * A server of language models with Ollama's API. That it accepts connections, or lists a model, is not believed: one token
 * has to come.
 * @throws {InvalidInputError} When the options are not usable.
 * @example
 * const models = createOllamaServer({ url: 'http://127.0.0.1:11434', models: ['llama3.2'] }, { service });
 */
export function createOllamaServer(
  input: OllamaServerInput,
  { service, clock = systemClock }: OllamaServerPorts = {},
): OllamaServer {
  const options = parseOrThrow(OllamaServerOptions, input, 'an Ollama server');
  const { url, fallbackUrl, keepAlive, answerTimeoutMs, tokenTimeoutMs } = options;
  const api = ollamaApi(url);
  const names = options.models.map(fullName);
  const slots = createSlots(options.parallel);
  let limits: ModelLimits = { parallel: options.parallel, contextTokens: options.contextTokens };
  let route = HOME;
  let tokenAt: number | undefined;

  const processOf = (): ServiceAdapter => {
    if (service) return service;
    throw new GuardianMisuseError(
      `The model server at ${url} is looked at only: hand createOllamaServer its \`service\` to have it started and stopped.`,
    );
  };
  const answers = async (signal: AbortSignal): Promise<Reading> => {
    try {
      await api.version(within(answerTimeoutMs, signal));
      return HEALTHY;
    } catch (error) {
      signal.throwIfAborted();
      const own = ownTrouble(error);
      if (own) return own;
      // Silence may be a short one; a refusal is none.
      const isSilent = error instanceof Error && error.name === 'TimeoutError';
      const note = `${url}: ${describe(error)}`;
      return failed('model_server.down', isSilent ? 'ambiguous' : 'decisive', note);
    }
  };
  const generateOneToken = async (signal: AbortSignal): Promise<Reading> => {
    const [model = ''] = names;
    const { contextTokens } = limits;
    try {
      const request = { model, keepAlive, contextTokens };
      const isDone = await api.oneToken(request, within(tokenTimeoutMs, signal));
      return isDone ? HEALTHY : failed('model_server.stuck', 'ambiguous', `${model} was not done`);
    } catch (error) {
      signal.throwIfAborted();
      const own = ownTrouble(error);
      if (own) return own;
      const certainty = error instanceof OllamaRefusal ? 'decisive' : 'ambiguous';
      return failed('model_server.stuck', certainty, `no token of ${model}: ${describe(error)}`);
    }
  };
  const loaded = (signal: AbortSignal) => api.running(within(answerTimeoutMs, signal));
  const runners = async (signal: AbortSignal) => {
    const state = await processOf().state(signal);
    return state.is === 'running' ? childrenOf(state.identity.pid) : [];
  };
  return {
    kind: 'model_server',
    answers,
    generateOneToken,
    loaded,
    models: () => names,
    route: () => route,
    routes: () => (fallbackUrl === undefined ? [HOME] : [HOME, FALLBACK]),
    limits: () => limits,
    probe: async (signal) => {
      const answered = await answers(signal);
      if (answered.status !== 'HEALTHY') return answered;
      const there = await loaded(signal);
      const missing = names.filter((name) => !there.includes(name));
      if (missing.length > 0) {
        return failed('model_server.unloaded', 'decisive', `not in memory: ${missing.join(', ')}`);
      }
      const isFresh = tokenAt !== undefined && clock.monotonic() - tokenAt < options.freshMs;
      return isFresh ? HEALTHY : generateOneToken(signal);
    },
    ask: async (work) => {
      await slots.take();
      try {
        const isHome = route === HOME;
        const to = {
          url: isHome ? url : (fallbackUrl ?? url),
          contextTokens: limits.contextTokens,
        };
        const answer = await work(to);
        if (isHome) tokenAt = clock.monotonic();
        return answer;
      } finally {
        slots.give();
      }
    },
    setLimits: async (wanted) => {
      limits = wanted;
      slots.resize(wanted.parallel);
    },
    routeTo: async (wanted) => {
      if (wanted !== HOME && (wanted !== FALLBACK || fallbackUrl === undefined)) {
        throw new GuardianMisuseError(`There is no way "${wanted}" to a model server.`);
      }
      route = wanted;
    },
    start: async (signal) => {
      if ((await answers(signal)).status === 'HEALTHY') return;
      // A runner outlives a server that was killed, holds its memory, and would pass for the server.
      await processOf().stop(signal);
      await processOf().start(signal);
      const deadline = clock.monotonic() + options.startWithinMs;
      while ((await answers(signal)).status !== 'HEALTHY') {
        if (clock.monotonic() >= deadline) {
          throw new GuardianMisuseError(
            `The model server was started, and does not answer at ${url} after ${options.startWithinMs} ms.`,
          );
        }
        await clock.sleep(POLL_MS, signal);
      }
    },
    stop: (signal) => processOf().stop(signal),
    stopRunner: async (signal) => {
      tokenAt = undefined; // what came from it says nothing of the next
      const ended = await runners(signal);
      for (const { pid } of ended) sendSignal(pid, 'SIGKILL');
      const deadline = clock.monotonic() + RUNNER_GONE_MS;
      for (const runner of ended) {
        while ((await isAlive(runner)) && clock.monotonic() < deadline) {
          await clock.sleep(POLL_MS, signal);
        }
      }
    },
    preload: (model, signal) => api.keep(fullName(model), keepAlive, limits.contextTokens, signal),
    unload: async (model, signal) => {
      // A server that is down has nothing in memory.
      if ((await answers(signal)).status !== 'HEALTHY') return;
      if (!(await loaded(signal)).includes(fullName(model))) return;
      await api.keep(fullName(model), 0, limits.contextTokens, signal);
    },
  };
}

function within(ms: number, signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(ms)]);
}

const OURS: ReadonlySet<string | undefined> = new Set([
  'EADDRNOTAVAIL',
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
]);

/** Without a port or a descriptor of our own we cannot ask: that says nothing of the server. */
function ownTrouble(error: unknown): Reading | undefined {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return OURS.has(errorCode(cause)) ? unknown('probe_error', describe(error)) : undefined;
}

/** `fetch failed` says nothing; its cause does. */
function describe(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return describeFailure(cause).message;
}
