import type { Assembly } from './assemble.ts';

/**
 * Takes up what a former life of the guardian left in its store: what it had learnt, each open incident, and what was begun
 * and not ended, which is taken back.
 * @returns How many incidents are open.
 */
export async function takeUpFormerLife(assembly: Assembly): Promise<number> {
  const { parts, background, book, conditions, limits } = assembly;
  const { maintenance, autonomy, record, mttr, recovery } = assembly;
  const { clock, store, options } = parts;
  const longestWindow = Math.max(
    options.limits.budget.windowMs,
    // A loop is known by the restarts with which it began, however far apart its trials are by now.
    options.limits.restarts.longestWaitMs * 24,
    options.limits.futility.longestRestMs,
  );
  const state = store.load({ now: clock.now(), runsSince: clock.now() - longestWindow });
  book.startAfter(state.lastSeq);
  record.load(state.totals);
  for (const incident of state.healed.toReversed()) {
    mttr.add(incident);
    conditions.noteLasting(incident.resource, incident.id, incident.symptom.conditions);
  }
  for (const certificate of state.certificates) autonomy.add(certificate);
  for (const window of state.maintenance) maintenance.resume(window);
  limits.load(state);
  const undecided = new Set(state.undecided.map(({ seq }) => seq));
  await recovery.decideOrphans(state.undecided, state.openIncidents);
  for (const incident of state.openIncidents) {
    const live = book.adopt(incident, !undecided.has(incident.openedBy));
    conditions.note(incident.resource, incident.id, incident.symptom.conditions);
    const runs = state.openRuns.filter(({ run }) => run.incidentId === incident.id);
    background.run(recovery.takeUp(live, runs));
  }
  for (const journaled of state.openRuns) {
    if (state.openIncidents.some(({ id }) => id === journaled.run.incidentId)) continue;
    await recovery.takeBack(journaled, 'its incident was closed');
  }
  return state.openIncidents.length;
}
