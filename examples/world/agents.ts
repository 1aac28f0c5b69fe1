import type { AgentOptions } from '@buddy/agents';

/**
 * What the four agents are really like. Hidden from the orchestrator, which has to find out: it is told ids and capacities
 * only.
 */
export interface AgentTraits {
  /** Added to the log-odds of getting a task's input right. */
  skill: number;
  /** Work per time: 2 does a 10 s task in 5 s. */
  speed: number;
}

const TRAITS: readonly AgentTraits[] = [
  { skill: 0.3, speed: 1.25 },
  { skill: 0, speed: 1 },
  { skill: -0.2, speed: 0.8 },
  { skill: -0.7, speed: 0.5 },
];

/** Two tasks at once each. */
const CAPACITY = 2;

/** `agent_0`, `agent_1`, …; the fifth is like the first again. */
export function crew(count: number): AgentOptions[] {
  return Array.from({ length: count }, (_, at) => ({ id: `agent_${at}`, capacity: CAPACITY }));
}

export function traitsOf(agentId: string): AgentTraits {
  const number = Number(/^agent_(\d+)$/.exec(agentId)?.[1] ?? 1);
  return TRAITS[number % TRAITS.length] ?? { skill: 0, speed: 1 };
}
