import type { SymptomInput } from '../incident/symptom.ts';
import type { Resource } from '../resource/registry.ts';
import type { LiveIncident } from './incident-book.ts';
import type { Parts } from './parts.ts';
import type { Prober } from './prober.ts';
import { symptomOf } from './symptom-of.ts';
import type { Verdict } from './verdict.ts';

interface CausesParts {
  parts: Parts;
  prober: Prober;
  /** The open incident of a resource that was seen to fail; undefined when it is suppressed. */
  raise: (symptom: SymptomInput) => Promise<LiveIncident | undefined>;
  openOn: (resource: string) => readonly LiveIncident[];
  attach: (live: LiveIncident, causeId: string) => Promise<void>;
}

/** Looks for what made a resource sick among what it depends on, and has that healed first. */
export class Causes {
  readonly #c: CausesParts;

  constructor(parts: CausesParts) {
    this.#c = parts;
  }

  /** When something that it depends on is sick, that is healed first; most of the time that is enough. */
  async healFirst(live: LiveIncident, resource: Resource): Promise<Verdict | undefined> {
    const { parts } = this.#c;
    const cause = await this.#findCause(resource);
    if (cause === undefined) return undefined;
    if (cause === 'suppressed') {
      return { parks: 'suppressed_maintenance', reason: 'what it depends on is in maintenance' };
    }
    const { id: causeId, resource: causeResource } = cause.incident;
    await this.#c.attach(live, causeId);
    parts.emit('causeFound', {
      at: parts.clock.now(),
      incidentId: live.incident.id,
      causeId,
      resource: causeResource,
    });
    await until(cause.firstVerdict.promise, live.abort.signal);
    if (cause.incident.status !== 'closed') {
      const reason = `${causeResource}, on which it depends, is not mended: ${cause.incident.reason}`;
      return { parks: 'escalated', reason };
    }
    return this.#waitUntilWell(live, resource, {
      withinMs: parts.options.causeGraceMs,
      reason: `${causeResource}, on which it depends, was mended`,
    });
  }

  async #findCause(resource: Resource): Promise<LiveIncident | 'suppressed' | undefined> {
    const { prober, parts, openOn, raise } = this.#c;
    const ancestors = resource.ancestors.flatMap((id) => parts.resources.get(id) ?? []);
    const samples = await Promise.all(
      ancestors.map(async (ancestor) => {
        const isKnown = openOn(ancestor.id).some(({ isConfirmed }) => isConfirmed);
        return isKnown ? undefined : prober.probe(ancestor);
      }),
    );
    // The roots come first, so the first that is sick has no sick cause itself.
    for (const [index, ancestor] of ancestors.entries()) {
      const [known] = openOn(ancestor.id);
      const sample = samples[index];
      if (known && (!sample || sample.status === 'FAILED')) return known;
      if (sample?.status !== 'FAILED') continue;
      return (await raise({ ...symptomOf(ancestor.id, sample) })) ?? 'suppressed';
    }
    return undefined;
  }

  async #waitUntilWell(
    live: LiveIncident,
    resource: Resource,
    { withinMs, reason }: { withinMs: number; reason: string },
  ): Promise<Verdict | undefined> {
    const { prober, parts } = this.#c;
    const deadline = parts.clock.monotonic() + withinMs;
    for (;;) {
      const { reports } = live;
      const sample = await prober.probe(resource);
      if (sample.status === 'HEALTHY') {
        return { closes: 'restored_with_cause', restored: sample.at, reason, reports };
      }
      if (parts.clock.monotonic() >= deadline) return undefined;
      await parts.clock.sleep(parts.options.confirm.intervalMs, live.abort.signal);
    }
  }
}

/** Waits for a promise that nobody can abort, as long as nobody aborts. */
async function until(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
