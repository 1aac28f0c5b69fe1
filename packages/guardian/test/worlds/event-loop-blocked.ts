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
  const { resources, kit, target, isRunning, close } = await openQuicklyMissedWorld();
  return {
    resources,
    subject: 'api-vitals',
    fault: kit.rehearsed(loopBlock, async () => ({ identity: await target() })),
    symptom: async () => ({ signal: 'event_loop.blocked' }),
    state: async () => ({ isRunning: await isRunning() }),
    close,
  };
}
