import type { Clock } from '@buddy/core';
import type { Readiness } from '../bot/bot.ts';
import type { BotSigns } from './bot-signs.ts';
import type { Probe } from './probe.ts';

export interface ReadinessPorts {
  readonly clock: Clock;
  readonly probe: Probe;
  readonly signs: BotSigns;
  readonly signal: AbortSignal;
}

/** Often at first, for most bots boot in less than a second. */
const QUICK_PACE_MS = 20;
const QUICK_FOR_MS = 2_000;
const SLOW_PACE_MS = 200;
/** A look that is cut short would say so, and nothing of the bot. */
const SHORTEST_LOOK_MS = 100;

/** @returns Why it did not get ready in time; undefined when it did. Rejects when aborted. */
export async function untilReady(
  readiness: Readiness,
  ports: ReadinessPorts,
): Promise<string | undefined> {
  const { kind } = readiness;
  switch (kind) {
    case 'started':
      return undefined;
    case 'line':
      return untilSign(ports.signs.line, `no line with "${readiness.text}"`, readiness, ports);
    case 'message':
      return untilSign(ports.signs.ready, "no message { type: 'ready' }", readiness, ports);
    case 'http':
    case 'tcp':
      return untilProbed(readiness, ports);
  }
}

async function untilSign(
  sign: Promise<void>,
  missing: string,
  { timeoutMs }: { readonly timeoutMs: number },
  { clock, signal }: ReadinessPorts,
): Promise<string | undefined> {
  const enough = new AbortController();
  const late = clock.sleep(timeoutMs, AbortSignal.any([signal, enough.signal]));
  const outcome = await Promise.race([
    sign.then(() => undefined),
    late.then(() => `${missing} within ${timeoutMs} ms`),
  ]);
  late.catch(() => undefined); // nobody waits for it any more
  enough.abort();
  return outcome;
}

async function untilProbed(
  target: Extract<Readiness, { kind: 'http' | 'tcp' }>,
  { clock, probe, signal }: ReadinessPorts,
): Promise<string | undefined> {
  const startedAt = clock.monotonic();
  for (;;) {
    const left = target.timeoutMs - (clock.monotonic() - startedAt);
    const lookMs = Math.max(SHORTEST_LOOK_MS, Math.min(left, 1_000));
    const problem = await clock.external(() => probe(target, lookMs));
    signal.throwIfAborted();
    if (problem === undefined) return undefined;
    const waited = clock.monotonic() - startedAt;
    if (waited >= target.timeoutMs) return `not ready within ${target.timeoutMs} ms: ${problem}`;
    const pace = waited < QUICK_FOR_MS ? QUICK_PACE_MS : SLOW_PACE_MS;
    await clock.sleep(Math.min(pace, target.timeoutMs - waited), signal);
  }
}
