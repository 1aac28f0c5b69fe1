import { isotonicRegression } from '../../scores/isotonic-regression.ts';
import type { ReliabilityStep } from '../../scores/score-forecasts.ts';
import type { ForecastGroup } from './reliability-collector.ts';

/**
 * The curve of a CORP reliability diagram (Dimitriadis, Gneiting, Jordan 2021) from forecasts in groups: the frequencies,
 * made to rise with the forecast. No bins to choose, and the best fit among all rising curves.
 * @param groups By ascending forecast.
 */
export function corpCurve(groups: readonly ForecastGroup[]): ReliabilityStep[] {
  const frequencies = isotonicRegression(
    groups.map(({ count, successes }) => successes / count),
    groups.map(({ count }) => count),
  );
  const steps: ReliabilityStep[] = [];
  groups.forEach(({ forecast, count }, index) => {
    const frequency = frequencies[index] ?? 0;
    const last = steps.at(-1);
    if (last?.frequency === frequency) {
      last.to = forecast;
      last.count += count;
    } else {
      steps.push({ from: forecast, to: forecast, frequency, count });
    }
  });
  return steps;
}
