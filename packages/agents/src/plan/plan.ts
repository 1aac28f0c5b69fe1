/** How work is shared out; `makePlan` says what each does. */
export type Strategy = 'round_robin' | 'load_balanced' | 'priority' | 'confidence';

/** An agent as the plan sees it. */
export interface PlannedAgent {
  agentId: string;
  /** How many tasks it works on at once. */
  capacity: number;
  /** Work per time, against the predictions: 2 does a 10 s task in 5 s. Learnt; 1 at first. */
  speed: number;
  /** In the order in which it means to do them. */
  taskIds: readonly string[];
  /** How long its slots are busy with them, in all, by the plan. */
  loadMs: number;
}

/** Who does what in a wave, and how good that is. Durations are by the plan's own estimates. */
export interface Plan {
  wave: number;
  strategy: Strategy;
  agents: readonly PlannedAgent[];
  /** Tasks dealt round-robin on purpose, and done first, so that what is learnt about agents is not bent by who was given what. */
  controlTaskIds: readonly string[];
  /** When the last task ends. */
  makespanMs: number;
  /** No plan can end sooner: max of total work / total speed, longest task / fastest agent, critical path / fastest agent. */
  lowerBoundMs: number;
  /** makespanMs / lowerBoundMs, 1 at best. */
  ratio: number;
  /** lowerBoundMs / makespanMs, 1 at best. */
  loadBalanceScore: number;
  /** The makespan of dealing the tasks round-robin. */
  baselineRoundRobinMs: number;
  /** How many times as long as the best possible plan it can be at most, where a theorem says so; else null. */
  guarantee: number | null;
}
