import type { EndpointAdapter } from '../resource/adapters/network.ts';
import type { Reading } from '../resource/reading.ts';
import { definePlaybook } from '../playbook/define-playbook.ts';
import { irreversible } from '../playbook/step.ts';
import { on } from '../playbook/trigger.ts';
import { resetConnections } from './endpoint-steps.ts';

/** There is no way to a host: another path or address is taken, and what can wait is kept and delivered in order. */
export const networkUnreachable = definePlaybook({
  id: 'network_unreachable',
  name: 'Network unreachable',
  description:
    'Keeps what can wait, drops dead connections, takes a path that works, and delivers what was kept in the order in which it came.',
  category: 'network',
  tier: 2,
  priority: 9,
  needs: { endpoint: 'endpoint' },
  triggers: [on(['network.unreachable', 'network.no_route', 'network.link_down'])],
  contraindicatedBy: [],
  diagnose: async ({ resources: { endpoint }, signal }) => {
    const current = endpoint.currentPath();
    const [own, ...others] = await Promise.all(
      [current, ...endpoint.paths().filter((path) => path !== current)].map(async (path) => ({
        path,
        works: await works(endpoint, path, signal),
      })),
    );
    const other = others.find((path) => path.works)?.path ?? null;
    // A way that is well again is not left: dead connections were all that was wrong.
    return { other: own?.works === true ? null : other };
  },
  steps: (step) => [
    step({
      id: 'hold',
      description: 'Keeps requests that can wait, and tries none of them.',
      tier: 2,
      timeoutMs: 1_000,
      effects: ['endpoint.holdRequests'],
      before: async ({ resources }) => ({ isHolding: resources.endpoint.isHolding() }),
      run: ({ resources, signal }) => resources.endpoint.holdRequests(signal),
      undo: {
        description: 'Tries them again, unless they were held before.',
        effects: ['endpoint.releaseRequests'],
        run: async ({ resources, before, signal }) => {
          if (!before.isHolding) await resources.endpoint.releaseRequests(signal);
        },
      },
    }),
    step({
      id: 'reset_connections',
      description: 'Closes the connections that were kept, and looks names up anew.',
      ...resetConnections,
    }),
    step({
      id: 'switch_path',
      description: 'Takes another path, or address of ours, that works.',
      tier: 2,
      timeoutMs: 1_000,
      effects: ['endpoint.usePath'],
      when: ({ diagnosis }) => diagnosis.other !== null,
      before: async ({ resources }) => ({ path: resources.endpoint.currentPath() }),
      run: async ({ resources, diagnosis: { other }, signal }) => {
        if (other !== null) await resources.endpoint.usePath(other, signal);
      },
      undo: {
        description: 'Goes back to the path before.',
        effects: ['endpoint.usePath'],
        run: ({ resources, before, signal }) => resources.endpoint.usePath(before.path, signal),
      },
    }),
    step({
      id: 'flush',
      description: 'Delivers what was kept, in order; what is not taken stays, and all behind it.',
      tier: 2,
      timeoutMs: 10_000,
      effects: ['endpoint.releaseRequests'],
      run: ({ resources, signal }) => resources.endpoint.releaseRequests(signal),
      undo: irreversible('what was delivered is delivered; what was not is still kept'),
    }),
  ],
  verify: {
    checks: [
      {
        name: 'layer 3: the host answers',
        run: ({ resources: { endpoint }, signal }) =>
          endpoint.reach(endpoint.currentPath(), signal),
      },
      {
        name: 'layer 7: it answers a request',
        run: ({ resources: { endpoint }, signal }) =>
          endpoint.exchange(endpoint.currentPath(), signal),
      },
      {
        name: 'nothing is left that could be delivered',
        run: async ({ resources }) => allDelivered(resources.endpoint),
      },
    ],
    withinMs: 3_000,
    stableForMs: 1_000,
  },
  mttrTargetMs: 5_000,
});

async function works(
  endpoint: EndpointAdapter,
  path: string,
  signal: AbortSignal,
): Promise<boolean> {
  return (await endpoint.exchange(path, signal)).status === 'HEALTHY';
}

function allDelivered(endpoint: EndpointAdapter): Reading {
  const held = endpoint.heldRequests();
  if (held === 0 && !endpoint.isHolding()) return { status: 'HEALTHY' };
  const note = `${held} requests wait to be delivered`;
  return { status: 'FAILED', signal: 'network.undelivered', certainty: 'ambiguous', note };
}
