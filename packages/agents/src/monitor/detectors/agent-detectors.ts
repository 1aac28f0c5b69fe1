import { isSuccess, type Outcome } from '../../task/outcome.ts';
import type { Finding } from '../anomaly.ts';
import { type AgentFailureDetector, createAgentFailureDetector } from './agent-failure.ts';
import { createLatencyShiftDetector, type LatencyShiftDetector } from './latency-shift.ts';

/** The detectors that follow each agent from wave to wave. */
export interface AgentDetectors {
  startWave(): void;
  /** @param outcome A scored one. */
  observe(agentId: string, outcome: Outcome): (Finding | undefined)[];
}

interface Pair {
  failure: AgentFailureDetector;
  shift: LatencyShiftDetector;
}

export function createAgentDetectors(): AgentDetectors {
  const byAgent = new Map<string, Pair>();

  function detectorsOf(agentId: string): Pair {
    const known = byAgent.get(agentId);
    if (known) return known;
    const added = {
      failure: createAgentFailureDetector(agentId),
      shift: createLatencyShiftDetector(agentId),
    };
    byAgent.set(agentId, added);
    return added;
  }

  return {
    startWave() {
      for (const { failure, shift } of byAgent.values()) {
        failure.startWave();
        shift.startWave();
      }
    },
    observe(agentId, outcome) {
      const { failure, shift } = detectorsOf(agentId);
      return [failure.observe(outcome), isSuccess(outcome) ? shift.observe(outcome) : undefined];
    },
  };
}
