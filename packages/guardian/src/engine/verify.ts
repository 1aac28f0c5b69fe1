import type { Clock } from '@buddy/core';
import type { PlaybookContext, Needs } from '../playbook/context.ts';
import type { Playbook } from '../playbook/define-playbook.ts';
import type { Sample } from '../probes/sampler.ts';
import type { Prober } from './prober.ts';

export interface VerifyRequest {
  playbook: Playbook;
  context: PlaybookContext<Needs>;
  prober: Prober;
  clock: Clock;
  longestStableMs: number | undefined;
  /** How often a symptom of the incident was reported: a new one outweighs the samples before it. */
  reports: () => number;
  /** What an adapter told of by itself since the steps ended: then it failed anew, and no look will see it recover. */
  newSign: () => Sample | undefined;
}

export type Verified =
  | { isGood: true; /** Of the first good sample, ms since the epoch. */ restored: number }
  | {
      isGood: false;
      reason: string;
      /** It was good often enough and went bad before it had lasted, or what was mended told that it failed anew. */
      hasRelapsed: boolean;
    };

/**
 * Looks until all checks were good so many times in a row and stayed good for the playbook's time, or until that cannot
 * come any more. A look that says UNKNOWN proves nothing either way.
 */
export async function verify(request: VerifyRequest): Promise<Verified> {
  const { playbook, context, clock, longestStableMs, reports, newSign } = request;
  const { successes, intervalMs, withinMs } = playbook.verify;
  const stableForMs = Math.min(playbook.verify.stableForMs, longestStableMs ?? Infinity);
  const deadline = clock.monotonic() + withinMs;
  let streak: { first: Sample; since: number; length: number; reports: number } | undefined;
  let reason = 'no check was good in time';
  for (;;) {
    const startedAt = clock.monotonic();
    const reported = reports();
    const samples = await takeAll(request);
    const sign = newSign();
    if (sign) return { isGood: false, reason: describe(sign), hasRelapsed: true };
    const bad = samples.find(({ status }) => status === 'FAILED' || status === 'DEGRADED');
    const unknown = samples.find(({ status }) => status === 'UNKNOWN');
    const [first] = samples;
    if (bad) {
      reason = describe(bad);
      if (streak && streak.length >= successes) {
        return { isGood: false, reason, hasRelapsed: true };
      }
      streak = undefined;
    } else if (unknown) {
      reason = describe(unknown);
    } else if (first) {
      if (streak?.reports !== reported) {
        streak = { first, since: startedAt, length: 0, reports: reported };
      }
      streak.length += 1;
      const isStable = startedAt - streak.since >= stableForMs;
      if (streak.length >= successes && isStable && reports() === reported) {
        return { isGood: true, restored: streak.first.at };
      }
    }
    const now = clock.monotonic();
    const latest = streak ? deadline + stableForMs : deadline;
    if (now >= latest) return { isGood: false, reason, hasRelapsed: false };
    await clock.sleep(
      pause(intervalMs, stableForMs, streak?.length ?? 0, successes),
      context.signal,
    );
  }
}

/** Once it was good often enough, what is left is to see whether it lasts: ten looks are enough for that. */
function pause(intervalMs: number, stableForMs: number, length: number, successes: number): number {
  return length < successes ? intervalMs : Math.max(intervalMs, stableForMs / 10);
}

async function takeAll({ playbook, context, prober }: VerifyRequest): Promise<Sample[]> {
  return Promise.all(
    playbook.verify.checks.map(({ name, run }) =>
      prober.sample(name, (signal) => run({ ...context, signal })),
    ),
  );
}

function describe(sample: Sample): string {
  if (sample.status === 'HEALTHY') return sample.note ?? 'healthy';
  if (sample.status === 'UNKNOWN') return `not known (${sample.reason}): ${sample.note}`;
  return `${sample.signal}: ${sample.note}`;
}
