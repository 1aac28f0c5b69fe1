import type { ServiceLaunchInput } from '@buddy/guardian';
import type { PlaybookWorld } from '../playbook-contract.ts';
import {
  makeServiceWorld,
  type ServiceWorld,
  type ServiceWorldInput,
  signal,
  until,
} from './service-world.ts';

const good = { id: 'v1' };
/** It is well for a while, and then ends: each start looks like a success. */
export const broken = { id: 'v2', env: { CRASH_AFTER_MS: '600' } };
const releases: ServiceLaunchInput['releases'] = [good, broken];

/** The good release was seen to work before the broken one came. */
export async function openReleasedWorld(input: ServiceWorldInput = {}) {
  const world = await makeServiceWorld({ launch: { releases }, ...input });
  await world.launch.useRelease('v1', signal);
  await world.start();
  return world;
}

export async function deploy({ launch, service }: ServiceWorld, release: string): Promise<void> {
  await launch.useRelease(release, signal);
  await service.stop(signal);
  await service.start(signal);
}

export async function openBrokenReleaseWorld(): Promise<PlaybookWorld> {
  const crashing = { id: 'v2', env: { CRASH_AFTER_MS: '0' } };
  const world = await openReleasedWorld({ launch: { releases: [good, crashing] } });
  const { resources, launch, isRunning, isExited, answers, close } = world;
  return {
    resources,
    subject: 'api',
    isBrokenInSteps: true,
    fault: {
      name: 'a release that crashes',
      apply: async () => {
        await deploy(world, 'v2');
        await until(isExited);
      },
      isPresent: async () => launch.settings().release === 'v2' && !(await answers()),
      revert: async () => undefined,
    },
    symptom: async () => ({ signal: 'process.crash_loop' }),
    state: async () => ({
      release: launch.settings().release,
      isRunning: await isRunning(),
    }),
    close,
  };
}
