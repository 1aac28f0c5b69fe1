import { describeFailure, systemClock } from '@buddy/core';
import type { Guardian } from '@buddy/guardian';
import { type FaultKit, processKill, processStop } from '@buddy/guardian/faults';
import type { FaultInjector } from './fault-injector.ts';
import { portTaken } from './port-taken.ts';

/** What became of one rehearsal. */
export interface Rehearsal {
  playbook: string;
  /** Undefined when the playbook holds its certificate now. */
  problem: string | undefined;
}

/**
 * Before the work begins, the playbooks with steps that are hard to undo show on a provider each that they heal their fault
 * here: without that certificate the gate lets none of these steps run unattended. A playbook that does not show it is not
 * used, and the faults that it is for are not healed.
 */
export function rehearseAll(
  guardian: Guardian,
  kit: FaultKit,
  injector: FaultInjector,
): Promise<Rehearsal[]> {
  const identity = (bot: 'mployer' | 'msgraph') => async () => ({
    identity: await injector.identityOf(bot),
  });
  const requests = {
    service_crashed: {
      resource: 'mployer',
      fault: kit.rehearsed(processKill, identity('mployer')),
      symptom: { signal: 'process.exited' },
    },
    port_not_responding: {
      resource: 'msgraph',
      fault: kit.rehearsed(processStop, identity('msgraph')),
      symptom: { signal: 'port.silent' },
    },
    port_in_use: {
      resource: 'gohighlevel',
      fault: kit.rehearsed(portTaken, () => injector.portOf('gohighlevel')),
      symptom: { signal: 'port.in_use' },
    },
  };
  return Promise.all(
    Object.entries(requests).map(async ([playbook, request]) => {
      let problem: string | undefined;
      for (let left = ATTEMPTS; left > 0; left -= 1) {
        try {
          await guardian.rehearse(playbook, request);
          return { playbook, problem: undefined };
        } catch (error) {
          problem ??= describeFailure(error).message; // the first: what comes after may be for its sake
          await untilAtPeace(guardian, request.resource);
        }
      }
      return { playbook, problem };
    }),
  );
}

/** What the trial before has left open is mended, or had its time. */
async function untilAtPeace(guardian: Guardian, resource: string): Promise<void> {
  const until = systemClock.monotonic() + AT_PEACE_WITHIN_MS;
  while (
    guardian.openIncidents.some((incident) => incident.resource === resource) &&
    systemClock.monotonic() < until
  ) {
    await systemClock.sleep(LOOK_EVERY_MS);
  }
}

const AT_PEACE_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 50;

/** While everything boots, a look at a provider may come too late to prove anything. */
const ATTEMPTS = 3;
