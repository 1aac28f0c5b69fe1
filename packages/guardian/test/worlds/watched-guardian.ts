import {
  builtinPlaybooks,
  createGuardian,
  type Guardian,
  type GuardianInput,
  type GuardianParts,
  type Incident,
  type Run,
} from '@buddy/guardian';

export interface WatchedGuardian extends AsyncDisposable {
  guardian: Guardian;
  /** Runs that ended, the first first. */
  runs: readonly Run[];
  alerts: readonly string[];
  /** Resolves with the next incident of a resource that is closed. */
  closed(resource: string): Promise<Incident>;
}

/** A guardian with all playbooks that notices by itself, and heals what it notices. It is started. */
export async function watchWith(
  resources: GuardianParts['resources'],
  options: GuardianInput = {},
  playbooks: GuardianParts['playbooks'] = builtinPlaybooks,
): Promise<WatchedGuardian> {
  const guardian = createGuardian(
    { longestStableMs: 100, autonomy: { 3: 'auto' }, probeIntervalMs: 500, ...options },
    { resources, playbooks },
  );
  const runs: Run[] = [];
  const alerts: string[] = [];
  guardian.events.on('runEnded', ({ run }) => runs.push(run));
  guardian.events.on('alertRaised', ({ message }) => alerts.push(message));
  await guardian.start();
  return {
    guardian,
    runs,
    alerts,
    closed: (resource) =>
      new Promise((resolve) => {
        guardian.events.on('incidentClosed', ({ incident }) => {
          if (incident.resource === resource) resolve(incident);
        });
      }),
    [Symbol.asyncDispose]: () => guardian.stop(),
  };
}
