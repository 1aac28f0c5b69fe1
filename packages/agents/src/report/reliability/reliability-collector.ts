import { isScored, isSuccess, type Outcome } from '../../task/outcome.ts';

/** Forecasts that are close to each other, and how often what they foretold came true. */
export interface ForecastGroup {
  /** The mean of its forecasts, 0..1. */
  forecast: number;
  count: number;
  successes: number;
}

/** How forecasts compare with what happened. */
export interface ForecastRecord {
  count: number;
  successes: number;
  /** Null without forecasts, as is the Brier score. */
  meanForecast: number | null;
  /** Mean squared error (Brier 1950), 0 at best. */
  brier: number | null;
  /** By ascending forecast. */
  groups: readonly ForecastGroup[];
}

export interface Reliability {
  /** The probabilities of the input. */
  predicted: ForecastRecord;
  /** Those that the plans were made with. */
  calibrated: ForecastRecord;
}

export interface ReliabilityCollector {
  /** Takes an outcome into account, if it is one that is scored. */
  observe(outcome: Outcome): void;
  reliability(): Reliability;
}

/**
 * Gathers forecasts and what became of them in 1000 cells of equal width each, so that memory does not grow. Means and
 * Brier scores are exact, for they are summed as they come.
 */
export function createReliabilityCollector(): ReliabilityCollector {
  const predicted = createForecastCells();
  const calibrated = createForecastCells();
  return {
    observe(outcome) {
      if (!isScored(outcome)) return;
      predicted.add(outcome.successProbability, isSuccess(outcome));
      calibrated.add(outcome.calibratedProbability, isSuccess(outcome));
    },
    reliability: () => ({ predicted: predicted.record(), calibrated: calibrated.record() }),
  };
}

const CELLS = 1000;

function createForecastCells() {
  const counts = new Float64Array(CELLS);
  const successes = new Float64Array(CELLS);
  const forecastSums = new Float64Array(CELLS);
  let squaredErrors = 0;
  return {
    add(forecast: number, isTrue: boolean): void {
      const cell = Math.min(CELLS - 1, Math.floor(forecast * CELLS));
      counts[cell] = (counts[cell] ?? 0) + 1;
      successes[cell] = (successes[cell] ?? 0) + Number(isTrue);
      forecastSums[cell] = (forecastSums[cell] ?? 0) + forecast;
      squaredErrors += (forecast - Number(isTrue)) ** 2;
    },
    record(): ForecastRecord {
      const groups: ForecastGroup[] = [];
      counts.forEach((count, cell) => {
        if (count === 0) return;
        const forecast = (forecastSums[cell] ?? 0) / count;
        groups.push({ forecast, count, successes: successes[cell] ?? 0 });
      });
      const count = sum(counts);
      return {
        count,
        successes: sum(successes),
        meanForecast: count === 0 ? null : sum(forecastSums) / count,
        brier: count === 0 ? null : squaredErrors / count,
        groups,
      };
    },
  };
}

function sum(values: Float64Array): number {
  return values.reduce((a, b) => a + b, 0);
}
