/** How much agents differ before anything is seen: a variance, of log-odds. */
const FIRST_VARIANCE = 0.25;
/** How much an agent may change from one task to the next, as a variance: about the last 300 tasks count. */
const DRIFT_VARIANCE = 0.0001;
/** Twice the odds of the others may pass for usual; beyond that, an agent is not weak but broken, however long it has been. */
const MOST_USUAL = Math.log(2);

/** How much worse than its peers an agent usually is. Being weak is no news; becoming worse is. */
export interface UsualFailure {
  /** @param byPeers What any agent's failure probability at the task would be. */
  expectedFailure(byPeers: number): number;
  learn(byPeers: number, hasFailed: boolean): void;
  /** What was learnt in a wave counts from the next one on. */
  startWave(): void;
}

/** Follows an agent's log-odds of failure beyond its peers', task by task, as `createPeerRecord` does. */
export function createUsualFailure(): UsualFailure {
  let level = 0;
  let variance = FIRST_VARIANCE;
  let usual = 0;

  return {
    expectedFailure: (byPeers) => shifted(byPeers, usual),
    learn(byPeers, hasFailed) {
      const expected = shifted(byPeers, level);
      const unknown = variance + DRIFT_VARIANCE;
      variance = unknown / (1 + unknown * expected * (1 - expected));
      level += variance * (Number(hasFailed) - expected);
    },
    startWave() {
      usual = Math.max(0, Math.min(MOST_USUAL, level));
    },
  };
}

/** The probability whose log-odds are higher by so much; what is certain stays certain. */
function shifted(probability: number, logOdds: number): number {
  const odds = Math.exp(logOdds);
  return (probability * odds) / (1 - probability + probability * odds);
}
