import { fdLeak } from '@buddy/guardian/faults';
import type { PlaybookWorld } from '../playbook-contract.ts';
import { makeServiceWorld } from './service-world.ts';

export const openLimitedWorld = async (cap = 400) => {
  const world = await makeServiceWorld({
    launch: { openFiles: { limit: 96, cap } },
    vitals: { intervalMs: 200 },
  });
  await world.start();
  return world;
};

export async function openExhaustedWorld(): Promise<PlaybookWorld> {
  const { resources, kit, target, launch, isRunning, close } = await openLimitedWorld();
  return {
    resources,
    subject: 'api-vitals',
    fault: kit.rehearsed(fdLeak, async () => ({ identity: await target() })),
    symptom: async () => ({ signal: 'fds.exhausted' }),
    state: async () => ({
      limit: launch.settings().openFiles,
      isRunning: await isRunning(),
    }),
    close,
  };
}
