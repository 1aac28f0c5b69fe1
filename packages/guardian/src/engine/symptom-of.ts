import type { SymptomInput } from '../incident/symptom.ts';
import type { Sample } from '../probes/sampler.ts';

/** What a bad reading is, told as a symptom. */
export function symptomOf(resource: string, sample: Sample): SymptomInput {
  switch (sample.status) {
    case 'FAILED': {
      const { signal, certainty, note, data = {}, conditions = [], at } = sample;
      return {
        resource,
        signal,
        certainty,
        note,
        firstBad: at,
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is checked where it enters
        data: data as NonNullable<SymptomInput['data']>,
        conditions: [...conditions],
      };
    }
    case 'DEGRADED':
      return {
        resource,
        signal: sample.signal,
        certainty: 'ambiguous',
        note: sample.note,
        firstBad: sample.at,
      };
    case 'HEALTHY':
    case 'UNKNOWN':
      return { resource, signal: 'probe.not_bad', note: sample.note ?? '' };
  }
}
