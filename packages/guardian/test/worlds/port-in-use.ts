import { portOccupy } from '@buddy/guardian/faults';
import type { PlaybookWorld } from '../playbook-contract.ts';
import { freePort, makeServiceWorld, type ServiceWorld, until } from './service-world.ts';

export const openPortedWorld = async (others = 0) => {
  const ports = await Promise.all(Array.from({ length: 1 + others }, freePort));
  const world = await makeServiceWorld({ launch: { ports } });
  await world.start();
  return { ...world, ports };
};

/** The service ends, another process takes its port, and the service is started and finds it taken. */
export async function occupy(
  { service, kit, whereIsIt, target, isExited }: ServiceWorld,
  env: Record<string, string> = {},
) {
  const { signal } = new AbortController();
  process.kill((await target()).pid, 'SIGKILL');
  await until(isExited);
  const occupant = await kit.inject(portOccupy, { port: whereIsIt(), env });
  await service.start(signal);
  await until(isExited);
  return occupant;
}

/** In the environment of all that a service started. */
const markOf = ({ folder }: ServiceWorld) => ({ BUDDY_SERVICE: `${folder}/api` });

export async function openStaleSiblingWorld(): Promise<PlaybookWorld> {
  const world = await openPortedWorld();
  const { resources, launch, isRunning, answers, close } = world;
  let occupant: Awaited<ReturnType<typeof occupy>> | undefined;
  return {
    resources,
    subject: 'api',
    isBrokenInSteps: true,
    fault: {
      name: 'portOccupy',
      apply: async () => {
        occupant = await occupy(world, markOf(world));
      },
      isPresent: async () => !(await answers()),
      revert: async () => occupant?.revert(),
    },
    symptom: async () => ({ signal: 'port.in_use' }),
    state: async () => ({
      isRunning: await isRunning(),
      port: launch.settings().port,
      isOccupied: (await occupant?.isPresent()) ?? false,
    }),
    // What was left behind is not revived.
    afterRollback: () => ({ isRunning: false, port: world.whereIsIt(), isOccupied: false }),
    close,
  };
}
