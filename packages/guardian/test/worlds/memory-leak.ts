import { heapLeak } from '@buddy/guardian/faults';
import type { PlaybookWorld } from '../playbook-contract.ts';
import { makeServiceWorld, type ServiceWorldInput, signal, until } from './service-world.ts';

export const MEGABYTE = 1_048_576;

export const openMeasuredWorld = async (vitals: ServiceWorldInput['vitals'] = {}) => {
  const world = await makeServiceWorld({ vitals: { intervalMs: 100, ...vitals } });
  await world.start();
  return world;
};

export async function openLeakingWorld(): Promise<PlaybookWorld> {
  const { resources, kit, target, vitals, isRunning, close } = await openMeasuredWorld();
  const leak = { bytesPerSecond: 500 * MEGABYTE, mostBytes: 60 * MEGABYTE };
  const fault = kit.rehearsed(heapLeak, async () => ({ identity: await target(), ...leak }));
  const usedBytes = async () => (await vitals.read(signal))?.memory.usedBytes ?? 0;
  return {
    resources,
    subject: 'api-vitals',
    isBrokenInSteps: true,
    fault: {
      name: fault.name,
      apply: async (own) => {
        await fault.apply(own);
        await until(async () => (await usedBytes()) > 50 * MEGABYTE);
      },
      isPresent: (own) => fault.isPresent(own),
      revert: () => fault.revert(),
    },
    symptom: async () => ({ signal: 'memory.leaking', data: { used_bytes: 50 * MEGABYTE } }),
    state: async () => ({ isRunning: await isRunning() }),
    close,
  };
}
