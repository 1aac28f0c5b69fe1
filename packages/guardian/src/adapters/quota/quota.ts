import { BuddyError, type Clock, parseOrThrow, systemClock } from '@buddy/core';
import { z } from 'zod';
import { GuardianMisuseError } from '../../errors.ts';
import { retryAfterOf } from '../../probes/layers/retry-after.ts';
import type { QuotaAdapter } from '../../resource/adapters/access.ts';
import type { Sign } from '../../resource/adapters/probed.ts';
import type { Reading } from '../../resource/reading.ts';
import { SignWatchers } from '../sign-watchers.ts';

export const QuotaOptions = z.strictObject({
  /** Ways that the policy allows, the wanted one first: models, keys, regions. */
  routes: z.array(z.string().min(1)).min(1),
  /** When nobody says until when it is used up, it is taken to be for so long, in ms; twice as long each time in a row. */
  unsaidMs: z.number().positive().default(60_000),
  longestUnsaidMs: z.number().positive().default(3_600_000),
  /** What somebody says is believed up to this, in ms. */
  longestMs: z
    .number()
    .positive()
    .default(7 * 86_400_000),
});
export type QuotaInput = z.input<typeof QuotaOptions>;

export type CallPriority = 'low' | 'normal';

/** What one call came to. */
export type QuotaAnswer =
  | { is: 'let_through' }
  /** 429 or its kin; until when, in ms since the epoch, where that was said. */
  | { is: 'exhausted'; until?: number | undefined };

export interface QuotaPorts {
  clock?: Clock;
  /** One small call by a route, to see that it is refilled. Left out: the next call of somebody shows it. */
  tryOut?: (route: string, signal: AbortSignal) => Promise<QuotaAnswer>;
}

/** No call is made: the quota is used up. `retryAfterMs` says when to ask again. Nothing was done. */
export class QuotaExhaustedError extends BuddyError {
  readonly code = 'GUARDIAN_QUOTA_EXHAUSTED';
}

export interface Quota extends QuotaAdapter {
  /**
   * Asks to make a call; answers by which route. Throws when nothing may be called now, or nothing of this priority.
   * @throws {QuotaExhaustedError}
   */
  admit(priority?: CallPriority): string;
  /** Told what each call came to. A 429 is a sign for the guardian at once. */
  note(route: string, answer: QuotaAnswer): void;
}

interface Exhaustion {
  until: number;
  /** How often in a row. */
  times: number;
}

/**
 * What stands between callers and something that lets only so many calls through. While it waits for a reset it is well: it
 * does all that can be done, and says so in its reading. Once the reset is there, one call shows whether it is true.
 * @throws {InvalidInputError} When the options are not usable.
 * @example
 * const quota = createQuota({ routes: ['big-model', 'small-model'] });
 * const route = quota.admit();
 * const response = await call(route);
 * quota.note(route, response.status === 429 ? { is: 'exhausted' } : { is: 'let_through' });
 */
export function createQuota(
  input: QuotaInput,
  { clock = systemClock, tryOut }: QuotaPorts = {},
): Quota {
  const { routes, unsaidMs, longestUnsaidMs, longestMs } = parseOrThrow(
    QuotaOptions,
    input,
    'a quota',
  );
  const exhausted = new Map<string, Exhaustion>();
  const watchers = new SignWatchers();
  let route = routes[0] ?? '';
  let waitsUntil: number | undefined;
  let isShedding = false;

  const check = (wanted: string): void => {
    if (routes.includes(wanted)) return;
    throw new GuardianMisuseError(`There is no route "${wanted}"; there are ${routes.join(', ')}.`);
  };
  const exhaustedUntil = (wanted: string): number | undefined => {
    const until = exhausted.get(wanted)?.until;
    return until !== undefined && until > clock.now() ? until : undefined;
  };
  const waiting = (): number | undefined =>
    waitsUntil !== undefined && waitsUntil > clock.now() ? waitsUntil : undefined;
  const noteExhausted = (used: string, said: number | undefined): Sign => {
    const now = clock.now();
    const times = (exhausted.get(used)?.times ?? 0) + 1;
    const unsaid = now + Math.min(longestUnsaidMs, unsaidMs * 2 ** (times - 1));
    const until = said === undefined ? unsaid : Math.min(said, now + longestMs);
    exhausted.set(used, { until, times });
    return exhaustedSign(used, until);
  };
  const note = (used: string, answer: QuotaAnswer): void => {
    check(used);
    if (answer.is === 'let_through') {
      // Before the reset it is the answer to a call that was made before it was used up.
      if (exhaustedUntil(used) === undefined) exhausted.delete(used);
      return;
    }
    watchers.tell(noteExhausted(used, answer.until));
  };
  const prove = async (signal: AbortSignal): Promise<Reading> => {
    if (!tryOut) return { status: 'HEALTHY', note: 'the reset has come; the next call shows it' };
    const tried = route;
    const answer = await clock.external(() => tryOut(tried, signal));
    if (answer.is === 'exhausted') return noteExhausted(tried, answer.until);
    exhausted.delete(tried);
    return { status: 'HEALTHY', note: `one call by ${tried} was let through after the reset` };
  };
  /** A route that was left because it was used up is taken again after its reset: the next call tries it. */
  const goBack = (): void => {
    const refilled = routes
      .slice(0, routes.indexOf(route))
      .find((each) => exhausted.has(each) && exhaustedUntil(each) === undefined);
    if (refilled === undefined) return;
    route = refilled;
    isShedding = false;
  };

  return {
    kind: 'quota',
    routes: () => routes,
    route: () => route,
    exhaustedUntil,
    waitsUntil: waiting,
    isShedding: () => isShedding,
    watch: watchers.watch,
    probe: async (signal) => {
      const until = waiting();
      if (until !== undefined) {
        return {
          status: 'HEALTHY',
          note: `nothing is called until ${new Date(until).toISOString()}`,
        };
      }
      const used = exhaustedUntil(route);
      if (used !== undefined) return exhaustedSign(route, used);
      // The reset is believed once a call was let through.
      if (exhausted.has(route)) return prove(signal);
      return { status: 'HEALTHY' };
    },
    admit: (priority = 'normal') => {
      goBack();
      const now = clock.now();
      const until = waiting() ?? exhaustedUntil(route);
      if (until !== undefined) {
        throw new QuotaExhaustedError(
          `The quota of ${route} is used up until ${new Date(until).toISOString()}.`,
          { retryable: true, retryAfterMs: until - now },
        );
      }
      if (isShedding && priority === 'low') {
        const known = routes.flatMap((each) => exhaustedUntil(each) ?? []);
        const wait = known.length === 0 ? unsaidMs : Math.min(...known) - now;
        throw new QuotaExhaustedError('What is of low priority is turned away for now.', {
          retryable: true,
          retryAfterMs: wait,
        });
      }
      return route;
    },
    note,
    useRoute: async (wanted) => {
      check(wanted);
      route = wanted;
    },
    waitUntil: async (until) => {
      waitsUntil = until;
      // Told by a symptom alone, it is as much used up; so a call has to show the reset.
      if (!exhausted.has(route)) exhausted.set(route, { until, times: 1 });
    },
    stopWaiting: async () => {
      waitsUntil = undefined;
    },
    shedLowPriority: async () => {
      isShedding = true;
    },
    stopShedding: async () => {
      isShedding = false;
    },
  };
}

function exhaustedSign(route: string, until: number): Sign {
  return {
    status: 'FAILED',
    signal: 'quota.exhausted',
    certainty: 'decisive',
    note: `the quota of ${route} is used up until ${new Date(until).toISOString()}`,
    data: { route, until },
    // Known to everything that depends on it: a restart refills nothing.
    conditions: [{ name: 'quota_exhausted', until }],
  };
}

/**
 * What a response says of a quota: 429, and 529 of some providers, with or without `Retry-After`.
 * @example
 * quota.note(route, quotaAnswerOf(await fetch(url), clock.now()));
 */
export function quotaAnswerOf(
  { status, headers }: { status: number; headers: { get(name: string): string | null } },
  now: number,
): QuotaAnswer {
  if (status !== 429 && status !== 529) return { is: 'let_through' };
  return { is: 'exhausted', until: retryAfterOf(headers.get('retry-after'), now) };
}
