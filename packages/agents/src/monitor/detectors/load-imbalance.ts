import type { Finding } from '../anomaly.ts';

/** What an agent had to do in a wave. */
export interface AgentLoad {
  agentId: string;
  capacity: number;
  busyMs: number;
  longestAttempt: { taskId: string; ms: number } | undefined;
}

/**
 * Notices that work was badly shared: the busiest agent's time per slot exceeds `ratio` times the mean, by more than its
 * longest attempt. An agent that is only behind by its last task could not have given anything away.
 */
export function findLoadImbalance(
  agents: readonly AgentLoad[],
  ratio: number,
  at: number,
): Finding | undefined {
  const perSlot = agents
    .filter(({ capacity }) => capacity > 0)
    .map((agent) => ({ ...agent, slotMs: agent.busyMs / agent.capacity }));
  const mean = perSlot.reduce((sum, { slotMs }) => sum + slotMs, 0) / perSlot.length;
  const busiest = perSlot.reduce<(typeof perSlot)[number] | undefined>(
    (most, agent) => (most === undefined || agent.slotMs > most.slotMs ? agent : most),
    undefined,
  );
  if (busiest === undefined || mean === 0) return undefined;

  const statistic = busiest.slotMs / mean;
  const longestMs = busiest.longestAttempt?.ms ?? 0;
  if (statistic <= ratio || busiest.slotMs - mean <= longestMs) return undefined;
  return {
    kind: 'load_imbalance',
    severity: 'warning',
    scope: { kind: 'wave' },
    statistic,
    threshold: ratio,
    evidence: busiest.longestAttempt ? [busiest.longestAttempt.taskId] : [],
    recommendation: `Take work off ${busiest.agentId}: use the load_balanced strategy with stealing, or smaller tasks.`,
    at,
  };
}
