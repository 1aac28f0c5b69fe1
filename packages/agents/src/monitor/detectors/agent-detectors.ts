import { isSuccess, type Outcome } from '../../task/outcome.ts';
import type { Finding } from '../anomaly.ts';
import { type AgentFailureDetector, createAgentFailureDetector } from './agent-failure.ts';
import { createPaces } from './latency-pace.ts';
import { createLatencyShiftDetector, type LatencyShiftDetector } from './latency-shift.ts';
import { createPeerRecord, type PeerRecord } from './peer-record.ts';
import { createSharedFailureDetector } from './shared-failure.ts';
import { createUsualFailure, type UsualFailure } from './usual-failure.ts';

/** The detectors that follow each agent from wave to wave, and compare it with its peers. */
export interface AgentDetectors {
  /** @param agentIds Those that the plan names; others join when they are first heard of. */
  startWave(agentIds: readonly string[]): void;
  /** @param outcome A scored one. */
  observe(agentId: string, outcome: Outcome): (Finding | undefined)[];
}

interface AgentWatch {
  peers: PeerRecord;
  usual: UsualFailure;
  failure: AgentFailureDetector;
  shift: LatencyShiftDetector;
}

export function createAgentDetectors(): AgentDetectors {
  const byAgent = new Map<string, AgentWatch>();
  const paces = createPaces();
  const sharedFailure = createSharedFailureDetector();

  function watchOf(agentId: string): AgentWatch {
    const known = byAgent.get(agentId);
    if (known) return known;
    const added = {
      peers: createPeerRecord(),
      usual: createUsualFailure(),
      failure: createAgentFailureDetector(agentId),
      shift: createLatencyShiftDetector(agentId, paces.paceOf(agentId)),
    };
    byAgent.set(agentId, added);
    return added;
  }

  function judge({ peers, usual, failure, shift }: AgentWatch, outcome: Outcome) {
    const byPeers = peers.expectedFailure(outcome);
    const findings = [
      failure.observe(outcome, usual.expectedFailure(byPeers)),
      isSuccess(outcome) ? shift.observe(outcome) : undefined,
    ];
    if (byAgent.size > 1) usual.learn(byPeers, !isSuccess(outcome)); // alone, an agent is held to its predictions
    return findings;
  }

  /** Returns how sure it is that the agents fail more than predicted, whichever of them is left out. */
  function tellPeers(own: AgentWatch, outcome: Outcome): number {
    let least = Infinity;
    for (const watch of byAgent.values()) {
      if (watch !== own) watch.peers.observe(outcome);
      least = Math.min(least, watch.peers.evidence());
    }
    return least;
  }

  function clearAll(): void {
    for (const { peers, failure } of byAgent.values()) {
      peers.loosen();
      failure.clear();
    }
  }

  return {
    startWave(agentIds) {
      for (const { peers, usual, failure, shift } of byAgent.values()) {
        peers.startWave();
        usual.startWave();
        failure.startWave();
        shift.startWave();
      }
      sharedFailure.startWave();
      for (const agentId of agentIds) watchOf(agentId);
    },
    observe(agentId, outcome) {
      const watch = watchOf(agentId);
      const findings = judge(watch, outcome);
      const shared = sharedFailure.observe(outcome, tellPeers(watch, outcome));
      if (shared) clearAll();
      return [...findings, shared];
    },
  };
}
