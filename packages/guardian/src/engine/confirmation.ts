import type { Sample } from '../probes/sampler.ts';
import type { Resource } from '../resource/registry.ts';
import type { Healings } from './healings.ts';
import type { LiveIncident } from './incident-book.ts';
import type { Parts } from './parts.ts';
import { isBad, type Prober } from './prober.ts';
import { type Verdict, withCause } from './verdict.ts';

interface ConfirmationParts {
  parts: Parts;
  prober: Prober;
  healings: Healings;
}

/** Looks again at what is ambiguous before anything is done about it. */
export class Confirmation {
  readonly #c: ConfirmationParts;

  constructor(parts: ConfirmationParts) {
    this.#c = parts;
  }

  /** @returns Undefined when it is so. */
  async confirm(live: LiveIncident, resource: Resource): Promise<Verdict | undefined> {
    if (live.isConfirmed) return undefined;
    const { prober, parts, healings } = this.#c;
    const { samples, intervalMs } = parts.options.confirm;
    const { signal } = live.abort;
    let bad = 0;
    let last: Sample | undefined;
    // What cannot be known is asked for again, as often as it would have to be bad.
    for (let look = 0; look < samples * 2 && bad < samples; look += 1) {
      if (look > 0) await parts.clock.sleep(intervalMs, signal);
      const { reports } = live;
      last = await prober.probe(resource);
      if (last.status === 'HEALTHY') {
        if (healings.isByUs(live.incident, resource)) return withCause(last, reports);
        return {
          closes: 'false_positive',
          restored: null,
          reason: 'it was well when it was looked at again',
          reports,
        };
      }
      if (isBad(last)) bad += 1;
    }
    if (bad < samples) {
      const why = last?.status === 'UNKNOWN' ? `${last.reason}: ${last.note}` : 'no clear answer';
      return { parks: 'escalated', reason: `it could not be confirmed (${why})` };
    }
    live.isConfirmed = true;
    parts.emit('incidentConfirmed', { at: parts.clock.now(), incidentId: live.incident.id });
    return undefined;
  }
}
