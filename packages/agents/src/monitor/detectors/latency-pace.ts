/** How much the slope of one agent may differ from that of the others: a standard deviation. */
const SLOPE_DIFFERENCE = 0.05;
/** What may be said of a slope before anything is seen: as much as a spread of 1 in the log of the predictions would tell. */
const FIRST_SLOPE_WEIGHT = 1;
/** Spread of log(actual / predicted), where only an order of magnitude is needed. */
const USUAL_SPREAD = 0.35;

/** What an agent's pace is expected to be at a task: log(actual / predicted), and the variance of one task's in units of the agent's own. */
interface PaceForecast {
  mean: number;
  variance: number;
}

export interface Pace {
  /** How many tasks it has learnt from. */
  count(): number;
  forecast(logPredicted: number): PaceForecast;
  learn(logPredicted: number, residual: number): void;
  forget(): void;
}

interface Sums {
  count: number;
  meanX: number;
  meanY: number;
  sxx: number;
  sxy: number;
}

/**
 * The usual pace of each agent, by the length predicted. Estimates are noisy, so long ones are mostly too long and short ones
 * too short (regression to the mean, Galton 1886): log(actual / predicted) falls as the prediction grows. The plan does long
 * tasks first; without the slope, every agent would seem to slow down in every wave.
 *
 * Least squares of log(actual / predicted) on log(predicted): a level for each agent, and a slope that leans on the slope of
 * the others as far as agents are alike.
 */
export function createPaces(): { paceOf(agentId: string): Pace } {
  const byAgent = new Map<string, Sums>();
  const all = { sxx: 0, sxy: 0 };

  function sumsOf(agentId: string): Sums {
    const sums = byAgent.get(agentId) ?? emptySums();
    byAgent.set(agentId, sums);
    return sums;
  }

  function leaveOut({ sxx, sxy }: Sums): void {
    all.sxx -= sxx;
    all.sxy -= sxy;
  }

  function paceOf(agentId: string): Pace {
    return {
      count: () => sumsOf(agentId).count,
      forecast(logPredicted) {
        const own = sumsOf(agentId);
        const othersWeight = FIRST_SLOPE_WEIGHT + Math.max(0, all.sxx - own.sxx);
        const othersSlope = (all.sxy - own.sxy) / othersWeight;
        const likeness = 1 / (1 / othersWeight + (SLOPE_DIFFERENCE / USUAL_SPREAD) ** 2);
        const weight = own.sxx + likeness;
        const slope = (own.sxy + likeness * othersSlope) / weight;
        const distance = logPredicted - own.meanX;
        return {
          mean: own.meanY + slope * distance,
          variance: 1 + 1 / Math.max(1, own.count) + distance ** 2 / weight,
        };
      },
      learn(logPredicted, residual) {
        const own = sumsOf(agentId);
        leaveOut(own);
        addTo(own, logPredicted, residual);
        all.sxx += own.sxx;
        all.sxy += own.sxy;
      },
      forget() {
        leaveOut(sumsOf(agentId));
        byAgent.delete(agentId);
      },
    };
  }

  return { paceOf };
}

/** As Welford 1962, for pairs. */
function addTo(sums: Sums, x: number, y: number): void {
  sums.count += 1;
  const dx = x - sums.meanX;
  sums.meanX += dx / sums.count;
  sums.meanY += (y - sums.meanY) / sums.count;
  sums.sxx += dx * (x - sums.meanX);
  sums.sxy += dx * (y - sums.meanY);
}

function emptySums(): Sums {
  return { count: 0, meanX: 0, meanY: 0, sxx: 0, sxy: 0 };
}
