import type { Random } from '@buddy/core';
import type { Forecasts } from '../scores/forecasts.ts';
import { spiegelhalterZ } from '../scores/proper-scores.ts';
import { scoreForecasts } from '../scores/score-forecasts.ts';
import {
  type Calibrator,
  drawnToCenter,
  fitCalibrator,
  IDENTITY,
  type LogitLine,
} from './calibrator.ts';
import { type FeedbackOptions, FEWEST_OBSERVATIONS } from './options.ts';
import { RecentWaves } from './recent-waves.ts';

/** The predictions of a wave, as stated and as recalibrated. */
export interface WaveForecasts {
  predicted: Forecasts;
  calibrated: Forecasts;
}

/** What an action's own calibrator is drawn to. */
export interface Pool {
  /** The line of all actions together; undefined: they need none. */
  line: LogitLine | undefined;
}

const MOST_Z = 3;
/** The 95 % point of chi-square with 2 degrees of freedom. */
const WORTHWHILE_GAIN = 5.991;
/**
 * How much of what earlier waves taught is kept when the recalibrated probabilities turn out wrong: the world has changed,
 * so most of it misleads; not nothing, for the alarm may be false.
 */
const KEPT_AFTER_DRIFT = 0.1;
/** With fewer tasks in a wave, rare failures make Z far from normal. */
const FEWEST_FOR_DRIFT = 30;
/** With slopes below this, .5 and .9 foretell the same. */
const WORTHLESS_SLOPE = 0.1;

/**
 * Follows the predictions of one action, or of all, and decides from wave to wave whether they are to be recalibrated.
 *
 * - On: when |Z| > 3 and MCB exceeds what chance shows, on the recent predictions as stated.
 * - Refitted with every wave then, always from the predictions as stated.
 * - Off: when that holds no longer **and** the refitted line is no better than none (a likelihood ratio test). Z alone would
 *   not do: errors before and after a change may cancel out in it.
 * - When the recalibrated probabilities of a wave fail the same test, earlier waves count a tenth from then on.
 */
export class ForecastTrack {
  calibrator: Calibrator | undefined;
  recommendation: 'keep' | 'recalibrate' | 'retrain' = 'keep';
  evidence = { n: 0, z: 0, mcb: 0, mcbNull: 0 };
  readonly #options: FeedbackOptions;
  readonly #recent = new RecentWaves<Forecasts>();
  #hasDrifted = false;

  constructor(options: FeedbackOptions) {
    this.#options = options;
  }

  /** @param pool Given for an action, not for all actions together. */
  close(wave: WaveForecasts, random: Random, pool?: Pool): void {
    const isDrifting = this.#isOff(wave.calibrated, random.child('drift'));
    const decay = 0.5 ** (1 / this.#options.halfLifeWaves);
    this.#recent.add(wave.predicted, isDrifting ? decay * KEPT_AFTER_DRIFT : decay);

    const recent = this.#recentForecasts();
    const wasOn = this.calibrator !== undefined;
    const isCured = !(isDrifting && this.#hasDrifted && wasOn);
    this.#hasDrifted = isDrifting;
    this.calibrator = undefined;
    this.recommendation = 'keep';
    if (recent.probabilities.length === 0) return;

    const { n, z, mcb, mcbNull } = scoreForecasts(recent, this.#ports(random.child('recent')));
    this.evidence = { n, z, mcb, mcbNull };
    if (n < FEWEST_OBSERVATIONS) return;

    const center = pool?.line ?? IDENTITY;
    const fitted = fitCalibrator(recent, { center });
    const isOff = Math.abs(z) > MOST_Z && mcb > mcbNull;
    const isWorthwhile = isOff || (wasOn && fitted.gain > WORTHWHILE_GAIN);
    if (isWorthwhile || pool?.line) {
      this.calibrator = pool ? drawnToCenter(fitted, center) : fitted;
    }
    if (isWorthwhile) this.recommendation = 'recalibrate';
    if (!isCured || isWorthless(fitted)) this.recommendation = 'retrain';
  }

  #isOff(forecasts: Forecasts, random: Random): boolean {
    if (forecasts.probabilities.length < FEWEST_FOR_DRIFT) return false;
    if (Math.abs(spiegelhalterZ(forecasts)) <= MOST_Z) return false;
    const { mcb, mcbNull } = scoreForecasts(forecasts, this.#ports(random));
    return mcb > mcbNull;
  }

  #ports(random: Random) {
    return { random, redraws: this.#options.redraws };
  }

  #recentForecasts(): Forecasts {
    const { waves } = this.#recent;
    const rows = waves.reduce((sum, { values }) => sum + values.probabilities.length, 0);
    const probabilities = new Float64Array(rows);
    const outcomes = new Uint8Array(rows);
    const weights = new Float64Array(rows);
    let start = 0;
    for (const { values, weight } of waves) {
      probabilities.set(values.probabilities, start);
      outcomes.set(values.outcomes, start);
      weights.fill(weight, start, start + values.probabilities.length);
      start += values.probabilities.length;
    }
    return { probabilities, outcomes, weights };
  }
}

/** Whether higher predictions do not mean more success, for sure. */
function isWorthless({ a, slopeError }: Calibrator): boolean {
  return a + 1.96 * slopeError < WORTHLESS_SLOPE;
}
