import type { Attempt, Outcome, Plan } from '@buddy/agents';

/** When everything begins, unless a test says otherwise; ms since the Unix epoch. */
export const START = Date.UTC(2026, 10, 21);

/** A task that agent_0 completed at once, in the 100 ms that were predicted. */
export function outcomeOf(taskId: string, change: Partial<Outcome> = {}): Outcome {
  return {
    taskId,
    wave: 1,
    action: 'crm.save',
    priority: 0,
    status: 'completed',
    agentId: 'agent_0',
    plannedAgentId: 'agent_0',
    isControl: false,
    heuristics: [],
    successProbability: 0.9,
    calibratedProbability: 0.9,
    predictedDurationMs: 100,
    queuedAt: START,
    startedAt: START,
    endedAt: START + 100,
    attemptMs: 100,
    timedOutMs: 0,
    attempts: 1,
    isHealed: false,
    failure: null,
    ...change,
  };
}

/** The one attempt of such a task. */
export function attemptOf(taskId: string, change: Partial<Attempt> = {}): Attempt {
  return {
    taskId,
    wave: 1,
    agentId: 'agent_0',
    action: 'crm.save',
    attempt: 1,
    status: 'succeeded',
    startedAt: START,
    endedAt: START + 100,
    failure: null,
    backoffMs: null,
    ...change,
  };
}

/** A plan for nobody to do nothing. */
export function planOf(change: Partial<Plan> = {}): Plan {
  return {
    wave: 1,
    strategy: 'load_balanced',
    agents: [],
    controlTaskIds: [],
    makespanMs: 0,
    lowerBoundMs: 0,
    ratio: 1,
    loadBalanceScore: 1,
    baselineRoundRobinMs: 0,
    guarantee: null,
    ...change,
  };
}
