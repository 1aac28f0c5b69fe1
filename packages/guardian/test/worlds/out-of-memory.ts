import { heapLeak } from '@buddy/guardian/faults';
import type { PlaybookWorld } from '../playbook-contract.ts';
import {
  makeServiceWorld,
  type ServiceWorld,
  type ServiceWorldInput,
  until,
} from './service-world.ts';

export const openNarrowWorld = async (vitals: ServiceWorldInput['vitals'] = {}) => {
  const launch = { memory: { limitMb: 64, capMb: 256 } };
  const world = await makeServiceWorld({ launch, vitals });
  await world.start();
  return world;
};

/** The heap grows until V8 ends the process: nothing pretends that it did. */
export async function fillHeap({ kit, target, identity }: ServiceWorld): Promise<void> {
  const leak = { bytesPerSecond: 900_000_000, mostBytes: 500_000_000 };
  const filled = await target();
  await kit.inject(heapLeak, { identity: filled, ...leak });
  await until(async () => (await identity())?.pid !== filled.pid); // who watches may have started another by now
}

export async function openFullHeapWorld(): Promise<PlaybookWorld> {
  const world = await openNarrowWorld();
  const { resources, launch, isRunning, answers, close } = world;
  return {
    resources,
    subject: 'api',
    isBrokenInSteps: true,
    fault: {
      name: 'heapLeak',
      apply: () => fillHeap(world),
      isPresent: async () => !(await answers()),
      revert: async () => undefined,
    },
    symptom: async () => ({ signal: 'process.out_of_memory' }),
    state: async () => ({
      isRunning: await isRunning(),
      memoryMb: launch.settings().memoryMb,
    }),
    close,
  };
}
