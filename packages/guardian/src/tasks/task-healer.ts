import type { Guardian } from '../engine/guardian.ts';
import type { SymptomInput, SymptomOutcome } from '../incident/symptom.ts';

/** A task that failed for good: what a harness of `@buddy/agents` hands to its port `heal`. */
export interface FailedTask {
  readonly taskId: string;
  readonly action: string;
  readonly failure: { readonly code: string; readonly message: string };
}

/** Well again, by us or by itself: worth one more try. */
const WELL: ReadonlySet<SymptomOutcome> = new Set([
  'restored',
  'restored_with_cause',
  'cleared_externally',
  'false_positive',
]);

/**
 * Has the guardian look at what made a task fail, and says whether the task is worth one more try. Waits until the trouble has
 * its outcome; when it belongs to an incident that is open, until that one is closed or parked.
 * @param symptomOf What the failure says of which resource; undefined when it is the task's own fault.
 * @example
 * const heal = createTaskHealer(guardian, ({ action, failure }) =>
 *   failure.code === 'CRM_UNREACHABLE' ? { resource: 'crm', signal: 'port.refused' } : undefined);
 * createHarness({ agents }, { tools, heal });
 */
export function createTaskHealer<Task extends FailedTask>(
  guardian: Guardian,
  symptomOf: (task: Task) => SymptomInput | undefined,
): (task: Task, options: { signal: AbortSignal }) => Promise<{ isHealed: boolean }> {
  return async (task, { signal }) => {
    signal.throwIfAborted();
    const symptom = symptomOf(task);
    if (symptom === undefined) return { isHealed: false };
    const settling = settlements(guardian);
    try {
      const { outcome, incidentId } = await guardian.report(symptom);
      const decided = await orAborted(outcome, signal);
      if (decided !== 'deduplicated') return { isHealed: WELL.has(decided) };
      return { isHealed: await orAborted(settling.of(incidentId ?? ''), signal) };
    } finally {
      settling.stop();
    }
  };
}

/** Listens from now on, for an incident may be settled between the report and the question. */
function settlements(guardian: Guardian): {
  of: (incidentId: string) => Promise<boolean>;
  stop: () => void;
} {
  const settled = new Map<string, boolean>();
  const waiting = new Map<string, PromiseWithResolvers<boolean>>();
  const settle = (id: string, isWell: boolean) => {
    settled.set(id, isWell);
    waiting.get(id)?.resolve(isWell);
  };
  const onClosed = ({ incident }: { incident: { id: string } }) => settle(incident.id, true);
  const onParked = ({ incidentId }: { incidentId: string }) => settle(incidentId, false);
  guardian.events.on('incidentClosed', onClosed).on('incidentParked', onParked);
  return {
    of: async (id) => {
      const known = settled.get(id);
      if (known !== undefined) return known;
      const open = guardian.openIncidents.find((incident) => incident.id === id);
      if (!open) return true; // closed before anybody listened
      if (open.status === 'parked') return false;
      const mine = waiting.get(id) ?? Promise.withResolvers<boolean>();
      waiting.set(id, mine);
      return mine.promise;
    },
    stop: () => {
      guardian.events.off('incidentClosed', onClosed).off('incidentParked', onParked);
    },
  };
}

/** The guardian goes on healing; only the waiting ends. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
