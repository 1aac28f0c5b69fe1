import type { Closing } from '../incident/incident.ts';
import type { SymptomOutcome } from '../incident/symptom.ts';
import type { Sample } from '../probes/sampler.ts';

/** What one round of work on an incident came to. */
export type Verdict =
  | {
      closes: Closing;
      restored: number | null;
      reason: string;
      /** Reports that were known when it was seen to be well. */
      reports: number;
    }
  | {
      parks: Extract<
        SymptomOutcome,
        | 'refused_limit'
        | 'refused_governance'
        | 'contraindicated'
        | 'suppressed_maintenance'
        | 'unmatched'
        | 'escalated'
      >;
      reason: string;
      /** Monotonic ms; left out, by the usual backoff. */
      retryAt?: number;
    };

/** It is well because of what was healed elsewhere. */
export function withCause(sample: Sample, reports: number): Verdict {
  const reason = 'it became well with what else was healed';
  return { closes: 'restored_with_cause', restored: sample.at, reason, reports };
}
