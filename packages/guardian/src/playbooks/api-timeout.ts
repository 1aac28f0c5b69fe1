import { definePlaybook } from '../playbook/define-playbook.ts';
import { on } from '../playbook/trigger.ts';
import { resetConnections } from './endpoint-steps.ts';

/** A second try after twice the usual time, or after so long where the usual is not known, in ms. */
const HEDGE_FACTOR = 2;
const HEDGE_MS = 500;

/** Something accepts and does not answer: it is left alone, and others are asked. */
export const apiTimeout = definePlaybook({
  id: 'api_timeout',
  name: 'API timeout',
  description:
    'Opens the breaker of a path that does not answer, drops its connections, and asks another, with a second try beside slow requests.',
  category: 'network',
  tier: 2,
  priority: 7,
  needs: { endpoint: 'endpoint' },
  triggers: [on(['api.timeout', 'probe.timeout'])],
  contraindicatedBy: [],
  diagnose: async ({ resources: { endpoint }, signal }) => {
    const silent = endpoint.currentPath();
    const others = endpoint.paths().filter((path) => path !== silent);
    const samples = await Promise.all(
      others.map(async (path) => ({ path, sample: await endpoint.exchange(path, signal) })),
    );
    const working = samples.filter(({ sample }) => sample.status === 'HEALTHY');
    const [replica, hedge] = working.map(({ path }) => path);
    return { silent, replica: replica ?? null, hasHedge: hedge !== undefined };
  },
  steps: (step) => [
    step({
      id: 'open_breaker',
      description: 'Lets requests by this path fail at once, until it answers again.',
      tier: 2,
      timeoutMs: 1_000,
      effects: ['endpoint.openBreaker'],
      before: async ({ resources: { endpoint }, diagnosis: { silent } }) => ({
        path: silent,
        wasClosed: endpoint.breakerOf(silent) === 'closed',
      }),
      run: ({ resources, before, signal }) => resources.endpoint.openBreaker(before.path, signal),
      undo: {
        description: 'Lets requests through again, unless it was open before.',
        effects: ['endpoint.closeBreaker'],
        run: async ({ resources, before, signal }) => {
          if (before.wasClosed) await resources.endpoint.closeBreaker(before.path, signal);
        },
      },
    }),
    step({
      id: 'drop_connections',
      description: 'Closes the connections that were kept.',
      ...resetConnections,
    }),
    step({
      id: 'hedge',
      description: 'Sends slow requests that may be repeated by another path too.',
      tier: 2,
      timeoutMs: 1_000,
      effects: ['endpoint.hedge'],
      when: ({ diagnosis }) => diagnosis.hasHedge,
      before: async ({ resources }) => ({ afterMs: resources.endpoint.hedgeAfterMs() ?? null }),
      run: ({ resources: { endpoint }, diagnosis: { replica }, signal }) => {
        const usualMs = replica === null ? undefined : endpoint.baselineMs(replica);
        return endpoint.hedge(usualMs === undefined ? HEDGE_MS : usualMs * HEDGE_FACTOR, signal);
      },
      undo: {
        description: 'Sends each request once again, or a second one as late as before.',
        effects: ['endpoint.hedge', 'endpoint.stopHedging'],
        run: async ({ resources: { endpoint }, before: { afterMs }, signal }) => {
          if (afterMs === null) await endpoint.stopHedging(signal);
          else await endpoint.hedge(afterMs, signal);
        },
      },
    }),
    step({
      id: 'use_replica',
      description: 'Asks another that answers.',
      tier: 2,
      timeoutMs: 1_000,
      effects: ['endpoint.usePath'],
      when: ({ diagnosis }) => diagnosis.replica !== null,
      before: async ({ resources }) => ({ path: resources.endpoint.currentPath() }),
      run: async ({ resources, diagnosis: { replica }, signal }) => {
        if (replica !== null) await resources.endpoint.usePath(replica, signal);
      },
      undo: {
        description: 'Asks the one before again.',
        effects: ['endpoint.usePath'],
        run: ({ resources, before, signal }) => resources.endpoint.usePath(before.path, signal),
      },
    }),
  ],
  verify: {
    checks: [
      {
        name: 'layer 7: the path in use answers',
        run: ({ resources: { endpoint }, signal }) =>
          endpoint.exchange(endpoint.currentPath(), signal),
      },
    ],
    withinMs: 5_000,
    stableForMs: 2_000,
  },
  mttrTargetMs: 15_000,
});
