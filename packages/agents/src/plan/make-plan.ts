import { keyedDraw } from '@buddy/core';
import type { Learning } from '../feedback/learning.ts';
import { lowerBound } from './lower-bound.ts';
import type { Plan, Strategy } from './plan.ts';
import { assign, type Choose, earliestFinish } from './assign.ts';
import { orderTasks, type PlannableTask, type Urgency } from './task-order.ts';

/** An agent to plan for. */
export interface PlanAgent {
  agentId: string;
  capacity: number;
  speed: number;
}

export interface PlanRequest {
  wave: number;
  tasks: readonly PlannableTask[];
  agents: readonly PlanAgent[];
  strategy: Strategy;
  learning: Learning;
  /** Share of the tasks that is dealt round-robin whatever the strategy, 0..1. */
  controlShare: number;
  /** Decides which tasks those are. */
  seed: number | string;
}

/**
 * Shares tasks out.
 *
 * - `round_robin`: dealt in the order of the file, as the original system did; speed and size play no part.
 * - `load_balanced`: longest first (with the chain that waits for it), each to where it ends first by the agents' speeds.
 * - `priority`: highest priority first, each to where it ends first.
 * - `confidence`: what is likeliest to succeed for sure first, each to the agent that is likeliest to succeed at it among
 *   those that would end it within a tenth of the earliest.
 */
export function makePlan(request: PlanRequest): Plan {
  const { wave, tasks, agents, strategy } = request;
  const dealt = assign(dealOrder(tasks), agents, roundRobin(agents.length));
  const controls = strategy === 'round_robin' ? new Set<string>() : pickControls(request);
  const planned = strategy === 'round_robin' ? dealt : shareOut(request, controls);
  // Rounding may put the bound a hair above a plan that meets it.
  const lowerBoundMs = Math.min(lowerBound(tasks, agents), planned.makespanMs);
  const ratio = lowerBoundMs === 0 ? 1 : planned.makespanMs / lowerBoundMs;
  return {
    wave,
    strategy,
    agents: agents.map(({ agentId, capacity, speed }, at) => ({
      agentId,
      capacity,
      speed,
      taskIds: planned.taskIds[at] ?? [],
      loadMs: planned.loadMs[at] ?? 0,
    })),
    controlTaskIds: [...controls],
    makespanMs: planned.makespanMs,
    lowerBoundMs,
    ratio,
    loadBalanceScore: 1 / ratio,
    baselineRoundRobinMs: dealt.makespanMs,
    guarantee: controls.size === 0 ? guarantee(request) : null,
  };
}

function shareOut({ tasks, agents, strategy, learning }: PlanRequest, controls: Set<string>) {
  const isControl = ({ taskId }: PlannableTask) => controls.has(taskId);
  const dealControls = roundRobin(agents.length);
  const choose = strategy === 'confidence' ? likeliest(agents, learning) : earliestFinish;
  // Controls are not stolen, so they must not be what a slow agent is left with at the end.
  const urgency: Urgency = (task, rankMs) =>
    isControl(task) ? [Number.MAX_VALUE, rankMs] : URGENCY[strategy](task, rankMs);
  return assign(orderTasks(tasks, urgency), agents, (task, slots) =>
    isControl(task) ? dealControls(task, slots) : choose(task, slots),
  );
}

const URGENCY: Record<Strategy, Urgency> = {
  round_robin: () => [0, 0],
  load_balanced: (_task, rankMs) => [rankMs, 0],
  priority: ({ priority }, rankMs) => [priority, rankMs],
  confidence: ({ calibratedProbability, confidence }, rankMs) => [
    calibratedProbability * confidence,
    rankMs,
  ],
};

function dealOrder(tasks: readonly PlannableTask[]) {
  return orderTasks(tasks, URGENCY.round_robin);
}

function roundRobin(agentCount: number): Choose {
  let next = 0;
  return () => next++ % agentCount;
}

/** How much later than the earliest finish the likeliest agent may end a task, as a share of that finish. */
const CONFIDENCE_SLACK = 0.1;

function likeliest(agents: readonly PlanAgent[], learning: Learning): Choose {
  return (task, slots) => {
    const finishes = slots.map((slot) => slot.finishOf(task));
    const latest = Math.min(...finishes) * (1 + CONFIDENCE_SLACK);
    let best = -1;
    let bestMean = -1;
    agents.forEach(({ agentId }, at) => {
      const { mean } = learning.posterior(agentId, task.action);
      if ((finishes[at] ?? Infinity) <= latest && mean > bestMean) {
        best = at;
        bestMean = mean;
      }
    });
    return best;
  };
}

function pickControls({ tasks, wave, seed, controlShare }: PlanRequest): Set<string> {
  const isPicked = ({ taskId }: PlannableTask) =>
    keyedDraw(seed, 'control', wave, taskId) < controlShare;
  return new Set(controlShare > 0 ? tasks.filter(isPicked).map(({ taskId }) => taskId) : []);
}

/**
 * How many times as long as the best possible plan this one can be: Graham 1969 for longest first, Graham 1966 for any
 * list; both for machines of one speed and tasks without dependencies.
 */
function guarantee({ tasks, agents, strategy }: PlanRequest): number | null {
  const slots = agents.reduce((sum, { capacity }) => sum + capacity, 0);
  const isUniform = new Set(agents.map(({ speed }) => speed)).size === 1;
  if (!isUniform || tasks.some(({ dependsOn }) => dependsOn.length > 0)) return null;
  switch (strategy) {
    case 'load_balanced':
      return 4 / 3 - 1 / (3 * slots);
    case 'priority':
      return 2 - 1 / slots;
    case 'confidence':
    case 'round_robin':
      return null;
  }
}
