import { rm, writeFile } from 'node:fs/promises';
import type { PlaybookWorld } from '../playbook-contract.ts';
import {
  makeServiceWorld,
  type ServiceWorld,
  type ServiceWorldInput,
  signal,
} from './service-world.ts';

export const openBootWorld = async (input: ServiceWorldInput = {}) => {
  const world = await makeServiceWorld({
    ...input,
    launch: { safeMode: { env: { SAFE_MODE: '1' } }, ...input.launch },
  });
  await world.start();
  return world;
};

/** What it waits for at its start takes a minute from now on, and it is started anew. */
export async function slowDown({ slowFile, launch, service }: ServiceWorld): Promise<void> {
  await writeFile(slowFile, '');
  if (launch.hasSafeMode()) await launch.useMode('normal', signal);
  await service.stop(signal);
  await service.start(signal);
}

/** The options are those of its service world. */
export async function openSlowWorld(input: ServiceWorldInput = {}): Promise<PlaybookWorld> {
  const world = await openBootWorld(input);
  const { resources, launch, isRunning, answers, slowFile, close } = world;
  return {
    resources,
    subject: 'api',
    isBrokenInSteps: true,
    fault: {
      name: 'a dependency that takes a minute',
      apply: () => slowDown(world),
      isPresent: async () => !(await answers()),
      revert: () => rm(slowFile, { force: true }),
    },
    symptom: async () => ({ signal: 'service.slow_boot' }),
    state: async () => ({ mode: launch.settings().mode, isRunning: await isRunning() }),
    close,
  };
}
