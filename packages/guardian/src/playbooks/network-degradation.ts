import type { PathMeasure } from '../resource/adapters/network.ts';
import { probeOf } from '../playbook/check.ts';
import { definePlaybook } from '../playbook/define-playbook.ts';
import { on } from '../playbook/trigger.ts';

/** The way to an endpoint became slow or loses requests: the best other way is taken. */
export const networkDegradation = definePlaybook({
  id: 'network_degradation',
  name: 'Network degradation',
  description: 'Measures every way to an endpoint, and takes the best.',
  category: 'network',
  tier: 2,
  priority: 7,
  needs: { endpoint: 'endpoint' },
  triggers: [on(['network.degraded', 'network.silent'])],
  contraindicatedBy: [],
  diagnose: async ({ resources: { endpoint }, signal }) => {
    const current = endpoint.currentPath();
    const others = endpoint.paths().filter((path) => path !== current);
    const measures = await Promise.all(others.map((path) => endpoint.measure(path, signal)));
    return { best: bestOf(measures) };
  },
  steps: (step) => [
    step({
      id: 'switch_path',
      description: 'Sends what comes next by the best other way.',
      tier: 2,
      timeoutMs: 5_000,
      effects: ['endpoint.usePath', 'endpoint.resetConnections'],
      when: ({ diagnosis }) => diagnosis.best !== null,
      before: async ({ resources }) => ({ path: resources.endpoint.currentPath() }),
      run: async ({ resources: { endpoint }, diagnosis, signal }) => {
        if (diagnosis.best === null) return;
        await endpoint.usePath(diagnosis.best, signal);
        await endpoint.resetConnections(signal);
      },
      undo: {
        description: 'Goes back to the way before.',
        effects: ['endpoint.usePath'],
        run: ({ resources, before, signal }) => resources.endpoint.usePath(before.path, signal),
      },
    }),
  ],
  verify: { checks: [probeOf('endpoint')], successes: 3, withinMs: 5_000, stableForMs: 2_000 },
  mttrTargetMs: 5_000,
});

/** The one that loses least, and of those the fastest; null when none answers. */
function bestOf(measures: readonly PathMeasure[]): string | null {
  const [best] = measures
    .filter(({ medianMs }) => medianMs !== undefined)
    .toSorted((a, b) => a.lostShare - b.lostShare || (a.medianMs ?? 0) - (b.medianMs ?? 0));
  return best?.path ?? null;
}
