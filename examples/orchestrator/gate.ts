import { join } from 'node:path';
import {
  type Clock,
  countingId,
  extendContext,
  ManualClock,
  markGoverned,
  systemClock,
  type Tool,
} from '@buddy/core';
import {
  checkFastApproval,
  createGovernance,
  type FastApprovalInput,
  FastApprovalRefusedError,
  type Governance,
} from '@buddy/governance';
import { UsageError } from './arguments.ts';

/** Where a run keeps what it is governed by, in its folder `state`. */
export const LOG_FILE = 'governance.db';
export const POLICY_FILE = 'governance_policies.yaml';

/** As many requests as a day of the shipped data may leave, and more. */
const MOST_PENDING = 100_000;

const HOUR_MS = 3_600_000;

export interface GateOptions {
  /** The run's; holds the policy already. */
  stateFolder: string;
  seed: number;
  /** Names the process among those that work on the run, so that its approvals have ids of their own. */
  part: string;
  approveAll: boolean;
  /** Whether the run is on a clock of our own making, and its providers are in this process. */
  isTimeless: boolean;
  /** How often to look for what people have decided in other processes, in ms of the clock. */
  pollMs: number;
}

export interface GatePorts {
  /** See `datedClock`. */
  clock: Clock;
  environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Opens the gate of one run. Its policy is the run's own copy, and does not change while it runs.
 * @throws What `createGovernance` and `openFastApproval` throw.
 */
export async function openGate(
  { stateFolder, seed, part, approveAll, isTimeless, pollMs }: GateOptions,
  { clock, environment }: GatePorts,
): Promise<Governance> {
  const governance = await createGovernance(
    {
      policy: join(stateFolder, POLICY_FILE),
      database: join(stateFolder, LOG_FILE),
      origin: `buddy.example/run-${seed}`,
      mode: approveAll ? 'dev' : 'production',
      // On a clock of our own making agents take turns, and each call would wait for the disk alone, twice. All that happens
      // is in this process, so a loss of power takes with it what an entry could have told of.
      survives: isTimeless ? 'process_crash' : 'power_loss',
      followPolicy: false,
    },
    {
      clock,
      newId: countingId(`approval-${seed}${part}`),
      approvals: { maxPendingPerActor: MOST_PENDING, pollMs },
    },
  );
  if (approveAll) await governance.approvals.openFastApproval(fastApproval(environment));
  return governance;
}

/**
 * Before anything is written.
 * @throws {UsageError} Where requests may not be granted by nobody's word.
 */
export function requireDevelopment(environment: GatePorts['environment']): void {
  try {
    checkFastApproval(fastApproval(environment));
  } catch (error) {
    if (!(error instanceof FastApprovalRefusedError)) throw error;
    throw new UsageError(`--approve-all-dev is for development only. ${error.message}`, {
      cause: error,
    });
  }
}

function fastApproval(environment: GatePorts['environment']): FastApprovalInput {
  return {
    mode: 'dev',
    environment,
    host: 'localhost', // nobody else can reach a command
    ttlMs: 8 * HOUR_MS,
    by: { id: 'start --approve-all-dev', role: 'operator' },
  };
}

/**
 * The tools as those agents would use them that asked, whoever picks the task up now: an approval holds for nobody else.
 * @param askedBy The agents' ids, by task.
 */
export function inTheNameOf(askedBy: ReadonlyMap<string, string>, tools: readonly Tool[]): Tool[] {
  return tools.map((tool) =>
    markGoverned({
      ...tool,
      execute: (input: unknown, context) => {
        const id = askedBy.get(context.taskId ?? '');
        const asked =
          id === undefined ? context : extendContext(context, { actor: { kind: 'agent', id } });
        return tool.execute(input, asked);
      },
    }),
  );
}

/**
 * A clock of our own making begins on some day long ago, but people decide today, and approvals expire: so the log has the
 * times of a run that began now, and as its hours pass in seconds, those of its end are ahead: limits and rules go by the
 * run's hours, so nothing can be dated by ours. The card counts what is dated ahead as well.
 */
export function datedClock(clock: Clock): Clock {
  if (!(clock instanceof ManualClock)) return clock;
  const shiftMs = systemClock.now() - clock.now();
  return {
    now: () => Math.floor(clock.now() + shiftMs),
    monotonic: () => clock.monotonic(),
    external: (work) => clock.external(work),
    // A checkpoint for each second of such a clock would be thousands; they come every 256 entries and at the end.
    sleep: (_ms, signal) =>
      new Promise((_resolve, reject) => {
        if (signal?.aborted) reject(signal.reason);
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      }),
  };
}
