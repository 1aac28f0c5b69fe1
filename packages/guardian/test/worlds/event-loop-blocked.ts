import { loopBlock } from '@buddy/guardian/faults';
import type { PlaybookWorld } from '../playbook-contract.ts';
import { makeServiceWorld, type ServiceWorldInput } from './service-world.ts';

export const openQuicklyMissedWorld = async (input: ServiceWorldInput = {}) => {
  const world = await makeServiceWorld({
    ...input,
    vitals: { silentAfterMs: 500, intervalMs: 200 },
  });
  await world.start();
  return world;
};

export async function openBlockedWorld(): Promise<PlaybookWorld> {
  const { resources, kit, target, answers, isRunning, close } = await openQuicklyMissedWorld();
  const fault = kit.rehearsed(loopBlock, async () => ({ identity: await target() }));
  return {
    resources,
    subject: 'api-vitals',
    isBrokenInSteps: true,
    fault: {
      name: fault.name,
      apply: (own) => fault.apply(own),
      // The kit's witness stops the process with a debugger: nothing to be done again and again while somebody mends.
      isPresent: async () => !(await answers()),
      revert: () => fault.revert(),
    },
    symptom: async () => ({ signal: 'event_loop.blocked' }),
    state: async () => ({ isRunning: await isRunning() }),
    close,
  };
}
