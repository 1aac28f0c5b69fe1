import type { Liveness } from '../bot/bot.ts';
import type { ReadinessPorts } from './readiness.ts';

export interface LivenessListener {
  /** It has failed so often in a row that it counts. */
  degraded(reason: string): void;
  recovered(): void;
}

/** Watches until it is aborted, which it rejects with, or has failed twice as often as makes a bot degraded. @returns Why. */
export async function watchLiveness(
  liveness: Liveness,
  ports: ReadinessPorts,
  listener: LivenessListener,
): Promise<string> {
  for (let failures = 0; ;) {
    await ports.clock.sleep(liveness.everyMs, ports.signal);
    const problem = await problemOf(liveness, ports);
    ports.signal.throwIfAborted();
    if (problem === undefined) {
      if (failures >= liveness.failures) listener.recovered();
      failures = 0;
      continue;
    }
    failures += 1;
    if (failures === liveness.failures) listener.degraded(problem);
    if (failures >= 2 * liveness.failures) return `${failures} failures in a row: ${problem}`;
  }
}

async function problemOf(
  liveness: Liveness,
  { clock, probe, signs }: ReadinessPorts,
): Promise<string | undefined> {
  if (liveness.kind !== 'message') {
    return clock.external(() => probe(liveness, liveness.timeoutMs));
  }
  const silentForMs = clock.monotonic() - signs.lastAliveAt;
  if (silentForMs <= liveness.everyMs + liveness.timeoutMs) return undefined;
  return `no message { type: 'alive' } for ${Math.round(silentForMs)} ms`;
}
