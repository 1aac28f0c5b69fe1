import type { Plan } from '../plan/plan.ts';

/**
 * What earlier waves taught, frozen for the wave that is planned with it. Before anything is learnt: probabilities as
 * predicted, speed 1, the prior of every posterior.
 */
export interface Learning {
  /** The probability that the predictor should have said. */
  calibrate(successProbability: number, action: string): number;
  /** Beta posterior of success for an agent at an action; prior Beta(2, 2). */
  posterior(agentId: string, action: string): { a: number; b: number; mean: number };
  /** Learnt work per time, against the predictions. */
  speed(agentId: string): number;
  /** The median duration of the action so far; undefined when it was never seen. */
  typicalDurationMs(action: string): number | undefined;
}

export const NOTHING_LEARNT: Learning = {
  calibrate: (successProbability) => successProbability,
  posterior: () => ({ a: 2, b: 2, mean: 0.5 }),
  speed: () => 1,
  typicalDurationMs: () => undefined,
};

/** What happened in a wave besides its outcomes. */
export interface WaveRecord {
  wave: number;
  /** ms since the Unix epoch. */
  startedAt: number;
  endedAt: number;
  plan: Plan;
  /** Tasks done by another agent than planned. */
  steals: number;
}
