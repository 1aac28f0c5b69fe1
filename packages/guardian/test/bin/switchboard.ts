import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  definePlaybook,
  type EndpointAdapter,
  type GuardianConfig,
  HEALTHY,
  on,
  type Playbook,
  probeOf,
  serviceCrashed,
} from '@buddy/guardian';

/** An endpoint whose way in use stands in a file; only the second way is well. */
function endpointIn(file: string): EndpointAdapter {
  const current = () => readFileSync(file, 'utf8');
  return {
    kind: 'endpoint',
    probe: async () =>
      current() === 'second'
        ? HEALTHY
        : { status: 'FAILED', signal: 'path.dead', certainty: 'decisive', note: 'first is dead' },
    paths: () => ['first', 'second'],
    currentPath: current,
    measure: async (path) => ({ path, medianMs: 1, lostShare: path === 'first' ? 1 : 0 }),
    baselineMs: () => 1,
    usePath: (path) => writeFile(file, path),
    resetConnections: async () => undefined,
    limitConcurrency: async () => undefined,
    concurrencyLimit: () => 1,
    reach: async () => HEALTHY,
    exchange: async () => HEALTHY,
    breakerOf: () => 'closed',
    openBreaker: async () => undefined,
    closeBreaker: async () => undefined,
    hedgeAfterMs: () => undefined,
    hedge: async () => undefined,
    stopHedging: async () => undefined,
    heldRequests: () => 0,
    isHolding: () => false,
    holdRequests: async () => undefined,
    releaseRequests: async () => undefined,
  };
}

export function switchPath(id = 'switch_path'): Playbook {
  return definePlaybook({
    id,
    name: 'Switch path',
    description: 'Takes the other way.',
    category: 'network',
    tier: 2,
    priority: 9,
    needs: { endpoint: 'endpoint' },
    triggers: [on('path.dead')],
    contraindicatedBy: [],
    diagnose: async () => undefined,
    steps: (step) => [
      step({
        id: 'switch',
        description: 'Takes the second way.',
        tier: 2,
        timeoutMs: 1_000,
        effects: ['endpoint.usePath'],
        before: async ({ resources }) => resources.endpoint.currentPath(),
        run: ({ resources, signal }) => resources.endpoint.usePath('second', signal),
        undo: {
          description: 'Takes the way from before.',
          effects: ['endpoint.usePath'],
          run: ({ resources, before, signal }) => resources.endpoint.usePath(before, signal),
        },
      }),
    ],
    verify: {
      checks: [probeOf('endpoint')],
      successes: 1,
      withinMs: 1_000,
      stableForMs: 1,
      intervalMs: 1,
    },
    mttrTargetMs: 5_000,
  });
}

/** A guardian's config over the files of a folder. */
export function switchboard(
  folder: string,
): Required<Pick<GuardianConfig, 'resources'>> & GuardianConfig {
  return {
    resources: [{ id: 'billing', adapter: endpointIn(join(folder, 'path')) }],
    playbooks: [switchPath(), serviceCrashed],
    options: { probeIntervalMs: 3_600_000 },
    store: join(folder, 'guardian.db'),
  };
}
