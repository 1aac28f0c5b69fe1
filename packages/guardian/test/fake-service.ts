import {
  createGuardian,
  definePlaybook,
  type Guardian,
  type GuardianInput,
  type GuardianParts,
  HEALTHY,
  on,
  type Playbook,
  type PlaybookInput,
  probeOf,
  type Reading,
  type ServiceAdapter,
  type ServiceState,
  type Sign,
} from '@buddy/guardian';
import { countingId, ManualClock, seededRandom } from '@buddy/core';

/** A service in memory that breaks and mends when it is told to. */
export class FakeService implements ServiceAdapter {
  readonly kind = 'service';
  isUp = true;
  /** What it takes to be well: the other service that it needs, say. */
  needs: () => boolean = () => true;
  /** Whether starting it helps. */
  startsWell = true;
  starts = 0;
  stops = 0;
  /** Called by each start. */
  onStart: (signal: AbortSignal) => Promise<void> = async () => undefined;
  raise: ((sign: Sign) => void) | undefined;

  async probe(): Promise<Reading> {
    if (this.isUp && this.needs()) return HEALTHY;
    return {
      status: 'FAILED',
      signal: 'process.exited',
      certainty: 'decisive',
      note: 'it is down',
    };
  }

  watch(raise: (sign: Sign) => void): () => void {
    this.raise = raise;
    return () => {
      this.raise = undefined;
    };
  }

  async state(): Promise<ServiceState> {
    if (this.isUp) return { is: 'running', identity: { pid: 1, startTime: '1' } };
    return { is: 'exited', exit: { code: 1, signal: null, stderrTail: '' } };
  }

  async start(signal: AbortSignal): Promise<void> {
    this.starts += 1;
    await this.onStart(signal);
    this.isUp = this.startsWell;
  }

  async stop(): Promise<void> {
    this.stops += 1;
    this.isUp = false;
  }

  crash(): void {
    this.isUp = false;
    this.raise?.({
      status: 'FAILED',
      signal: 'process.exited',
      certainty: 'decisive',
      note: 'it ended',
    });
  }
}

type ServiceNeeds = { readonly service: 'service' };
type RestartInput = PlaybookInput<ServiceNeeds, ServiceState>;

/** Starts a service that is down. */
export function restartPlaybook(changes: Partial<RestartInput> = {}): Playbook {
  return definePlaybook<ServiceNeeds, ServiceState>({
    id: 'restart',
    name: 'Restart',
    description: 'Starts it again.',
    category: 'process',
    tier: 2,
    priority: 5,
    needs: { service: 'service' },
    triggers: [on('process.exited')],
    contraindicatedBy: [],
    diagnose: async ({ resources, signal }) => resources.service.state(signal),
    steps: (step) => [
      step({
        id: 'start',
        description: 'Starts it.',
        tier: 2,
        timeoutMs: 1_000,
        effects: ['service.start'],
        run: ({ resources, signal }) => resources.service.start(signal),
        undo: {
          description: 'Stops it.',
          effects: ['service.stop'],
          run: ({ resources, signal }) => resources.service.stop(signal),
        },
      }),
    ],
    verify: { checks: [probeOf('service')], withinMs: 1_000, stableForMs: 500 },
    mttrTargetMs: 10_000,
    ...changes,
  });
}

export interface World {
  clock: ManualClock;
  guardian: Guardian;
  /** Every event, as `name` or `name detail`. */
  told: string[];
  alerts: string[];
}

/** A guardian on a manual clock, that tells what happens. It is started. */
export async function startWorld(
  parts: Pick<GuardianParts, 'resources'> & Partial<GuardianParts>,
  options: GuardianInput = {},
  clock = new ManualClock(),
): Promise<World> {
  const guardian = createGuardian(options, {
    clock,
    random: seededRandom(1),
    newId: countingId('id'),
    playbooks: [restartPlaybook()],
    ...parts,
  });
  const told: string[] = [];
  const alerts: string[] = [];
  guardian.events.on('alertRaised', ({ alert, message }) => {
    alerts.push(`${alert}: ${message}`);
  });
  guardian.events.on('stepChanged', ({ step }) => told.push(`${step.step} ${step.state}`));
  guardian.events.on('runEnded', ({ run }) => told.push(`${run.playbook} ${run.result}`));
  guardian.events.on('outcomeDecided', ({ resource, outcome }) => {
    told.push(`${resource} ${outcome}`);
  });
  guardian.events.on('incidentClosed', ({ incident }) => {
    told.push(`${incident.resource} closed ${incident.closedAs}`);
  });
  await guardian.start();
  return { clock, guardian, told, alerts };
}
