import { Condition, SIGNAL } from '../incident/symptom.ts';
import { dataWithoutSecrets, withoutSecrets } from '../incident/without-secrets.ts';
import type { Reading } from './reading.ts';

const LONGEST_NOTE = 2_000;
const LONGEST_SIGNAL = 200;
const MOST_CONDITIONS = 20;

/**
 * What an adapter says, made fit to be kept: adapters are other people's, and what they say badly must not be lost. An
 * answer that is no reading is UNKNOWN; trouble whose signal cannot be read is trouble all the same, `probe.malformed`.
 */
export function fitReading(said: Reading): Reading {
  // A type says nothing of what an adapter in JavaScript answers.
  const status: unknown = typeof said === 'object' && said !== null ? said.status : undefined;
  if (status === undefined) return noReading(typeof said);
  if (said.status === 'HEALTHY') return said; // nearly always
  const note = fitNote(said.note);
  switch (said.status) {
    case 'UNKNOWN':
      return { ...said, note };
    case 'DEGRADED':
      return { ...said, ...fitSignal(said.signal, note) };
    case 'FAILED': {
      const { certainty, data, conditions } = said;
      return {
        ...said,
        ...fitSignal(said.signal, note),
        certainty: certainty === 'decisive' ? 'decisive' : 'ambiguous',
        ...(data !== undefined && { data: dataWithoutSecrets(data) }),
        ...(conditions !== undefined && { conditions: fitConditions(conditions) }),
      };
    }
    default:
      return noReading(`its status is ${withoutSecrets(JSON.stringify(status).slice(0, 100))}`);
  }
}

function noReading(what: string): Reading {
  return { status: 'UNKNOWN', reason: 'probe_error', note: `it answered with no reading: ${what}` };
}

function fitSignal(signal: unknown, note: string): { signal: string; note: string } {
  if (typeof signal === 'string' && signal.length <= LONGEST_SIGNAL && SIGNAL.test(signal)) {
    return { signal, note };
  }
  const said = typeof signal === 'string' ? signal : `a signal that is ${typeof signal}`;
  return { signal: 'probe.malformed', note: fitNote(`${said}: ${note}`) };
}

/** The beginning says what it is, the end how it came to it. */
function fitNote(note: unknown): string {
  const text = withoutSecrets(typeof note === 'string' ? note : '');
  if (text.length <= LONGEST_NOTE) return text;
  const half = LONGEST_NOTE / 2 - 10;
  return `${text.slice(0, half)} [...] ${text.slice(-half)}`;
}

function fitConditions(conditions: unknown): Condition[] {
  const all: readonly unknown[] = Array.isArray(conditions) ? conditions : [];
  const fit = all.flatMap((one) => {
    const { data } = Condition.safeParse(one);
    return data ? [data] : [];
  });
  return fit.slice(0, MOST_CONDITIONS);
}
