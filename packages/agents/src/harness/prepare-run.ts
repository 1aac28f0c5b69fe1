import type { Clock, GuardedEmitter, Tool } from '@buddy/core';
import type { Engine } from '../durable/engine.ts';
import type { Heal } from '../execution/heal.ts';
import { supportTools } from '../execution/support-tools.ts';
import type { FeedbackLoop } from '../feedback/feedback-loop.ts';
import type { AgentManager } from '../manager/agent-manager.ts';
import type { Monitor } from '../monitor/monitor.ts';
import { parkedWorkflow } from '../orchestration/parked.ts';
import type { TaskPolicy } from '../orchestration/policy.ts';
import { retryWorkflow } from '../orchestration/retry.ts';
import { runWorkflow } from '../orchestration/run.ts';
import { slotWorkflow } from '../orchestration/slot.ts';
import type { Output } from '../output/output.ts';
import { pickRetryOptions } from '../task/retry-options.ts';
import { ActiveRun } from './active-run.ts';
import type { HarnessEvents } from './events.ts';
import type { HarnessOptions } from './options.ts';
import { RunHost } from './run-host.ts';
import { createRunObserver } from './run-observer.ts';

/** What a run works with. */
export interface RunParts {
  manager: AgentManager;
  feedback: FeedbackLoop;
  monitor: Monitor;
  output: Output;
  clock: Clock;
  tools: ReadonlyMap<string, Tool>;
  emit: GuardedEmitter<HarnessEvents>['emit'];
  engine: Engine;
  heal: Heal | undefined;
}

/** Makes a run of these waves, and registers with the engine whatever it calls by name. */
export function prepareRun(
  { runId, waves, startedAt }: { runId: string; waves: readonly number[]; startedAt: number },
  options: HarnessOptions,
  { engine, heal, ...parts }: RunParts,
): ActiveRun {
  const { verdictTimeoutMs, seed, agents, rateLimits } = options;
  const policy: TaskPolicy = {
    ...pickRetryOptions(options),
    runId,
    verdictTimeoutMs,
    seed,
    canHeal: heal !== undefined,
  };
  const observer = createRunObserver(startedAt, agents);
  const onBroken = (error: unknown) => run.break(error);
  const host: RunHost = new RunHost(runId, { ...parts, observer, onBroken });
  const run = new ActiveRun({ host, observer, policy, engine, waves, startedAt });
  const { tools } = parts;
  engine.register({
    workflows: {
      run: runWorkflow,
      slot: slotWorkflow,
      retry: retryWorkflow,
      parked: parkedWorkflow,
    },
    tools: [...tools.values(), ...host.systemTools(), ...supportTools(tools, heal)],
    providers: rateLimits,
    lanes: Object.fromEntries(agents.map(({ id, capacity }) => [id, capacity])),
  });
  return run;
}
