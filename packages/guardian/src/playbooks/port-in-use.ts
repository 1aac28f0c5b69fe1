import { GuardianMisuseError } from '../errors.ts';
import type { PortAdapter } from '../resource/adapters/network.ts';
import type { LaunchAdapter } from '../resource/adapters/service.ts';
import type { Reading } from '../resource/reading.ts';
import { probeOf } from '../playbook/check.ts';
import { definePlaybook } from '../playbook/define-playbook.ts';
import { irreversible } from '../playbook/step.ts';
import { on } from '../playbook/trigger.ts';
import { startService } from './service-steps.ts';

/** Who has the port: a process of ours that was left, somebody else, nobody any more, or not to be known. */
type Owner = 'ours' | 'foreign' | 'nobody' | 'unknown';

/** Another has the port of a service. What is ours is ended; what is another's is left alone, and the service moves. */
export const portInUse = definePlaybook({
  id: 'port_in_use',
  name: 'Port in use',
  description:
    'Ends a process of this very service that was left at the port; leaves any other alone, and moves the service to another of its ports.',
  category: 'process',
  tier: 3,
  priority: 8,
  needs: { service: 'service', port: 'port', launch: 'launch' },
  triggers: [on('port.in_use')],
  contraindicatedBy: ['quota_exhausted'],
  diagnose: async ({ resources: { port, launch }, signal }) => {
    const owner = await ownerOf(port, launch, signal);
    const isTaken = owner === 'foreign' || owner === 'unknown';
    const other = isTaken ? await freePort(port, launch, signal) : null;
    if (isTaken && other === null) {
      throw new GuardianMisuseError(
        `Port ${port.port} belongs to ${owner === 'foreign' ? 'another process' : 'somebody who cannot be seen'}, which is left alone, and the service has no other port that is free: somebody has to look.`,
      );
    }
    return { owner, other };
  },
  steps: (step) => [
    step({
      id: 'evict_own',
      description: 'Ends all processes that bear the mark of this service.',
      tier: 3,
      timeoutMs: 15_000,
      effects: ['service.stop'],
      // By the mark in their environment, not by the port: a process of another is not among them.
      when: ({ diagnosis }) => diagnosis.owner === 'ours',
      run: ({ resources, signal }) => resources.service.stop(signal),
      undo: irreversible('a process that was left behind is not revived'),
    }),
    step({
      id: 'move',
      description: 'Lets it listen at another of its ports, and tells those who call it.',
      tier: 2,
      timeoutMs: 5_000,
      effects: ['launch.usePort'],
      when: ({ diagnosis }) => diagnosis.other !== null,
      before: async ({ resources }) => ({ port: resources.launch.settings().port }),
      run: async ({ resources: { launch }, diagnosis, signal }) => {
        if (diagnosis.other !== null) await launch.usePort(diagnosis.other, signal);
      },
      undo: {
        description: 'Goes back to the port before.',
        effects: ['launch.usePort'],
        run: async ({ resources: { launch }, before, signal }) => {
          if (before.port !== null) await launch.usePort(before.port, signal);
        },
      },
    }),
    step(startService),
  ],
  verify: {
    checks: [
      {
        name: 'it is ours that listens',
        run: ({ resources: { port, launch }, signal }) => checkOwner(port, launch, signal),
      },
      {
        name: 'it answers',
        run: ({ resources, signal }) => resources.port.exchange(signal),
      },
      probeOf('service'),
    ],
    intervalMs: 50,
    withinMs: 15_000,
  },
  mttrTargetMs: 10_000,
});

async function ownerOf(
  port: PortAdapter,
  launch: LaunchAdapter,
  signal: AbortSignal,
): Promise<Owner> {
  const owner = await port.owner(signal);
  if (owner.is !== 'process') return owner.is;
  return (await launch.isOurs(owner.identity, signal)) ? 'ours' : 'foreign';
}

async function freePort(
  { port: taken }: PortAdapter,
  launch: LaunchAdapter,
  signal: AbortSignal,
): Promise<number | null> {
  for (const other of launch.ports()) {
    if (other !== taken && (await launch.isFree(other, signal))) return other;
  }
  return null;
}

async function checkOwner(
  port: PortAdapter,
  launch: LaunchAdapter,
  signal: AbortSignal,
): Promise<Reading> {
  const owner = await ownerOf(port, launch, signal);
  switch (owner) {
    case 'ours':
      return { status: 'HEALTHY' };
    case 'foreign':
      return {
        status: 'FAILED',
        signal: 'port.in_use',
        certainty: 'decisive',
        note: `another process listens at ${port.port}`,
      };
    case 'nobody':
      return {
        status: 'FAILED',
        signal: 'port.refused',
        certainty: 'decisive',
        note: `nobody listens at ${port.port}`,
      };
    case 'unknown':
      return {
        status: 'UNKNOWN',
        reason: 'no_permission',
        note: `who listens at ${port.port} cannot be seen`,
      };
  }
}
