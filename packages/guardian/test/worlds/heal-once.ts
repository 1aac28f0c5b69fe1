import {
  type AnyAdapter,
  createGuardian,
  type GuardianInput,
  type Playbook,
  type SymptomOutcome,
} from '@buddy/guardian';

/** Reports one symptom to a guardian with these playbooks alone, and tells what became of it. */
export async function healOnce(
  adapter: AnyAdapter,
  {
    playbooks,
    told,
    autonomy = { 3: 'auto' },
  }: { playbooks: readonly Playbook[]; told: string; autonomy?: GuardianInput['autonomy'] },
): Promise<{ outcome: SymptomOutcome; reason: string | undefined; restoredMs: number }> {
  await using guardian = createGuardian(
    { longestStableMs: 50, autonomy, probeIntervalMs: 3_600_000 },
    { resources: [{ id: 'subject', adapter }], playbooks },
  );
  const closed = new Promise<number>((resolve) =>
    guardian.events.once('incidentClosed', ({ incident }) =>
      resolve((incident.restored ?? Infinity) - incident.detected),
    ),
  );
  await guardian.start();
  const symptom = { resource: 'subject', signal: told, certainty: 'decisive' } as const;
  const outcome = await (await guardian.report(symptom)).outcome;
  const reason = guardian.openIncidents[0]?.reason;
  return { outcome, reason, restoredMs: outcome === 'restored' ? await closed : Infinity };
}

/** Injects, tells nobody, and waits until a guardian that watches has noticed and healed. */
export async function noticeAndHeal(
  adapter: AnyAdapter,
  { playbooks, inject }: { playbooks: readonly Playbook[]; inject: () => Promise<unknown> },
): Promise<{ signal: string; closedAs: string | null }> {
  await using guardian = createGuardian(
    { longestStableMs: 50, autonomy: { 3: 'auto' }, probeIntervalMs: 50 },
    { resources: [{ id: 'subject', adapter }], playbooks },
  );
  const closed = new Promise<{ signal: string; closedAs: string | null }>((resolve) =>
    guardian.events.on('incidentClosed', ({ incident: { signal, closedAs } }) => {
      if (closedAs === 'restored') resolve({ signal, closedAs });
    }),
  );
  await inject(); // before somebody watches: a witness may be slower than a healing
  await guardian.start();
  return await closed; // before the guardian is stopped
}
