import type { WaveRecord } from '../feedback/learning.ts';
import type { Plan } from '../plan/plan.ts';
import type { WaveMetrics } from './metrics.ts';
import { ratio, sum, taskMetricsOf } from './task-metrics.ts';
import type { AgentTally, WaveTally } from './wave-tally.ts';

export function waveMetricsOf(tally: WaveTally, record: WaveRecord): WaveMetrics {
  const { wave, startedAt, endedAt, plan, steals } = record;
  const makespanMs = endedAt - startedAt;
  const capacity = sum(plan.agents.map((agent) => agent.capacity));
  const lowerBoundMs = Math.min(makespanMs, measuredLowerBound(plan, tally.agents()));
  return {
    wave,
    startedAt,
    endedAt,
    capacity,
    makespanMs,
    lowerBoundMs,
    makespanRatio: ratio(makespanMs, lowerBoundMs),
    steals,
    ...taskMetricsOf(tally.all(), capacity, makespanMs),
  };
}

/**
 * How fast the wave could have ended, had its work been known as it turned out to be. The plan's own bound is of estimates:
 * against it, bad estimates would look like bad sharing. So it is scaled by work as measured / work as planned, which keeps
 * what the plan knows of dependencies; and no wave is faster than its longest attempt on its fastest agent.
 */
function measuredLowerBound(plan: Plan, agents: readonly AgentTally[]): number {
  const measuredWork = sum(agents.map(({ busyMs, speed }) => busyMs * speed));
  const longestWork = Math.max(
    0,
    ...agents.map(({ longestAttempt, speed }) => (longestAttempt?.ms ?? 0) * speed),
  );
  const fastest = Math.max(...plan.agents.map(({ speed }) => speed));
  return Math.max(timeForWork(plan, measuredWork), longestWork / fastest);
}

function timeForWork({ agents, lowerBoundMs }: Plan, work: number): number {
  const plannedWork = sum(agents.map(({ loadMs, speed }) => loadMs * speed));
  if (plannedWork > 0) return lowerBoundMs * (work / plannedWork);
  // Nothing was estimated: all slots busy all the time.
  const workPerMs = sum(agents.map(({ capacity, speed }) => capacity * speed));
  return workPerMs > 0 ? work / workPerMs : 0;
}
