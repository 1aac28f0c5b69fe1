import type { Clock, GuardedEmitter, Logger, NewId, Random } from '@buddy/core';
import type { SupervisedBots } from '../bot/registry-port.ts';
import type { Probe } from '../probe/probe.ts';
import type { Processes } from '../process/processes.ts';
import type { SupervisorEvents } from './events.ts';
import type { SupervisorOptions } from './options.ts';

/** What the parts of a supervisor share. */
export interface BotPorts {
  readonly registry: SupervisedBots;
  readonly processes: Processes;
  readonly probe: Probe;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: NewId;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  readonly emit: GuardedEmitter<SupervisorEvents>['emit'];
  readonly options: SupervisorOptions;
  /** Called when a bot has begun to be alive. */
  readonly begun: () => void;
  /** Aborted from the moment on in which nothing may begin any more. */
  readonly closing: AbortSignal;
}
