import { parseOrThrow, type Random } from '@buddy/core';
import { EventEmitter } from 'eventemitter3';
import type { WaveRecord } from '../feedback/learning.ts';
import type { Plan } from '../plan/plan.ts';
import { type Attempt, isScored, type Outcome } from '../task/outcome.ts';
import {
  type Anomaly,
  anomalyKey,
  type AnomalyLog,
  createAnomalyLog,
  type Finding,
} from './anomaly.ts';
import { countedAnomalies } from './counted-anomalies.ts';
import { createAgentDetectors } from './detectors/agent-detectors.ts';
import { findLatencyOutliers, latencyOutlierFindings } from './detectors/latency-outliers.ts';
import { findLoadImbalance } from './detectors/load-imbalance.ts';
import { findPredictionDrift, type ForecastFit } from './detectors/prediction-drift.ts';
import { createRetryStormDetector, type RetryStormDetector } from './detectors/retry-storm.ts';
import { createStallDetector, type StallDetector } from './detectors/stalled.ts';
import { MonitorSequenceError } from './errors.ts';
import { forecastFitOf } from './forecast-fit.ts';
import { type Health, healthOf } from './health.ts';
import { createHealthTotals } from './health-totals.ts';
import type { WaveReportMetrics } from './metrics.ts';
import { type MonitorInput, MonitorOptions } from './options.ts';
import { agentMetricsOf, sum } from './task-metrics.ts';
import { waveMetricsOf } from './wave-metrics.ts';
import { createWaveTally, type WaveTally } from './wave-tally.ts';

export interface MonitorEvents {
  /** When an anomaly is new in its wave, or has become more severe. */
  anomalyDetected: [event: { at: number; anomaly: Anomaly }];
  /** When the score or the status moved: at the end of a wave, or by an anomaly. */
  healthChanged: [event: { at: number; health: Health; previous: Health }];
}

export interface MonitorPorts {
  /** For the redraws that tell what miscalibration chance alone would show. */
  random: Random;
  /** Told of what a listener threw; by default a warning of the process. */
  onListenerError?: (error: unknown) => void;
}

export interface Monitor {
  readonly events: EventEmitter<MonitorEvents>;
  /**
   * @param startedAt ms since the Unix epoch.
   * @param expected.longestPredictionMs Of the wave's tasks, for `stalled`. Default the plan's lower bound, which is no less
   * than the longest task on the fastest agent.
   * @throws {MonitorSequenceError} While another wave runs.
   */
  startWave(plan: Plan, startedAt: number, expected?: { longestPredictionMs?: number }): void;
  /**
   * Every try, when it has ended: busy time, load and retry storms are told from these alone.
   * @throws {MonitorSequenceError} When its wave does not run; so with `observe`.
   */
  observeAttempt(attempt: Attempt): void;
  /** Every task that has settled, or has begun to wait. */
  observe(outcome: Outcome): void;
  /** Tells the time, so that a wave in which nothing happens is noticed. Nothing to do between waves. */
  tick(now: number): void;
  /**
   * Judges the wave as a whole and forgets its tasks.
   * @throws {MonitorSequenceError} When it does not run.
   */
  closeWave(record: WaveRecord): WaveReportMetrics;
  /**
   * Over all waves so far. Of a wave that runs, successes and anomalies count already; efficiency, calibration and
   * availability are known when it ends. The anomalies of a wave count until the next one ends.
   */
  health(): Health;
}

/**
 * Watches waves of tasks: metrics for each agent and wave, anomalies against the tasks' own predictions, and a health score.
 * Pure bookkeeping over what it is told: no clock, no files. Memory grows with the tasks of the running wave only.
 * @example
 * const monitor = createMonitor({}, { random: seededRandom(23) });
 * monitor.events.on('anomalyDetected', ({ anomaly }) => log.warn(anomaly));
 * monitor.startWave(plan, clock.now());
 * for (const attempt of attempts) monitor.observeAttempt(attempt);
 * for (const outcome of outcomes) monitor.observe(outcome);
 * const { wave, agents, anomalies, health } = monitor.closeWave(record);
 */
export function createMonitor(
  input: MonitorInput,
  { random, onListenerError = warnOfListener }: MonitorPorts,
): Monitor {
  const options = parseOrThrow(MonitorOptions, input, 'options of createMonitor');
  const events = new EventEmitter<MonitorEvents>();
  const agentDetectors = createAgentDetectors();
  const totals = createHealthTotals();
  let running: RunningWave | undefined;
  let latestAnomalies: readonly Anomaly[] = [];
  let knownHealth = health();

  function health(): Health {
    const current = running?.anomalies.list() ?? [];
    const currentKeys = new Set(current.map(anomalyKey));
    const earlier = latestAnomalies.filter((anomaly) => !currentKeys.has(anomalyKey(anomaly)));
    const tallies = running?.tally.all() ?? [];
    const succeeded = sum(tallies.map((tally) => tally.succeeded.length));
    const failed = sum(tallies.map((tally) => tally.failed.length));
    return healthOf(
      totals.inputs(
        { scored: succeeded + failed, succeeded },
        countedAnomalies([...current, ...earlier]),
      ),
    );
  }

  function expectRunning(wave: number): RunningWave {
    if (running?.tally.plan.wave === wave) return running;
    throw new MonitorSequenceError(
      `The monitor was told of wave ${wave}, but ${running ? `wave ${running.tally.plan.wave} runs` : 'no wave runs'}; call startWave first`,
    );
  }

  function report(wave: RunningWave, findings: readonly (Finding | undefined)[]): void {
    if (findings.every((finding) => finding === undefined)) return; // nearly always
    const detections = note(wave, findings);
    if (detections.length === 0) return;
    tell(detections);
    announceHealth(Math.max(...detections.map(({ at }) => at)));
  }

  function tell(detections: readonly Detection[]): void {
    for (const detection of detections) emit('anomalyDetected', detection);
  }

  function announceHealth(at: number): void {
    const previous = knownHealth;
    knownHealth = health();
    if (previous.score === knownHealth.score && previous.status === knownHealth.status) return;
    emit('healthChanged', { at, health: knownHealth, previous });
  }

  function emit<Name extends keyof MonitorEvents>(
    name: Name,
    ...event: EventEmitter.EventArgs<MonitorEvents, Name>
  ): void {
    try {
      events.emit(name, ...event);
    } catch (error) {
      onListenerError(error);
    }
  }

  return {
    events,
    health,
    startWave(plan, startedAt, { longestPredictionMs = plan.lowerBoundMs } = {}) {
      if (running) {
        throw new MonitorSequenceError(
          `Wave ${plan.wave} cannot start while wave ${running.tally.plan.wave} runs; call closeWave first`,
        );
      }
      agentDetectors.startWave(plan.agents.map(({ agentId }) => agentId));
      running = {
        tally: createWaveTally(plan),
        anomalies: createAnomalyLog(),
        retryStorm: createRetryStormDetector(options.retryStormShare),
        stall: createStallDetector(startedAt, options.stalledFactor * longestPredictionMs),
      };
    },
    observeAttempt(attempt) {
      const wave = expectRunning(attempt.wave);
      wave.tally.addAttempt(attempt);
      wave.stall.sawLife(attempt.endedAt + (attempt.backoffMs ?? 0));
      report(wave, [wave.retryStorm.observe(attempt)]);
    },
    observe(outcome) {
      const wave = expectRunning(outcome.wave);
      wave.tally.addOutcome(outcome);
      if (outcome.endedAt !== null) wave.stall.sawLife(outcome.endedAt);
      if (!isScored(outcome) || outcome.agentId === null) return;
      report(wave, agentDetectors.observe(outcome.agentId, outcome));
    },
    tick(now) {
      if (running) report(running, [running.stall.tick(now, running.tally)]);
    },
    closeWave(record) {
      const wave = expectRunning(record.wave);
      const metrics = waveMetricsOf(wave.tally, record);
      const ownRandom = random.child(`monitor/wave-${record.wave}`);
      const fit = forecastFitOf(wave.tally.all(), ownRandom);
      const sharedFit = sharedFitOf(wave, fit, ownRandom.child('shared'));
      const detections = note(
        wave,
        wholeWaveFindings(wave.tally, sharedFit, options, record.endedAt),
      );
      totals.add(metrics, sum(wave.tally.all().map(({ timedOutMs }) => timedOutMs)), fit);
      latestAnomalies = wave.anomalies.list();
      running = undefined;
      tell(detections);
      announceHealth(record.endedAt);
      return {
        wave: metrics,
        agents: wave.tally.agents().map((tally) => agentMetricsOf(tally, metrics.makespanMs)),
        anomalies: latestAnomalies,
        health: health(),
      };
    },
  };
}

interface RunningWave {
  tally: WaveTally;
  anomalies: AnomalyLog;
  retryStorm: RetryStormDetector;
  stall: StallDetector;
}

/** An anomaly that is new or worse, and since when. */
interface Detection {
  at: number;
  anomaly: Anomaly;
}

/** Writes the findings down; returns what is worth telling. */
function note(wave: RunningWave, findings: readonly (Finding | undefined)[]): Detection[] {
  return findings.flatMap((finding) => {
    const anomaly = finding && wave.anomalies.add(wave.tally.plan.wave, finding);
    return anomaly ? [{ at: finding.at, anomaly }] : [];
  });
}

/**
 * How well the probabilities fitted where no agent is to blame: without those whose failures are critical. When that leaves
 * nobody, of all.
 */
function sharedFitOf(
  { tally, anomalies }: RunningWave,
  fit: ForecastFit | undefined,
  random: Random,
): ForecastFit | undefined {
  const accused = new Set(anomalies.list().map(accusedAgent));
  const others = tally.all().filter(({ agentId }) => agentId === null || !accused.has(agentId));
  if (others.length === tally.all().length) return fit;
  return forecastFitOf(others, random) ?? fit;
}

function accusedAgent({ kind, severity, scope }: Anomaly): string | undefined {
  const isAccused = kind === 'agent_failure' && severity === 'critical';
  return isAccused && scope.kind === 'agent' ? scope.agentId : undefined;
}

function wholeWaveFindings(
  tally: WaveTally,
  fit: ForecastFit | undefined,
  options: MonitorOptions,
  at: number,
): (Finding | undefined)[] {
  const agents = tally.agents();
  const latencies = agents.flatMap((agent) => agent.latencies);
  const loads = agents.map((agent) => ({ ...agent, agentId: agent.agentId ?? '' }));
  return [
    ...latencyOutlierFindings(findLatencyOutliers(latencies, options), at),
    fit && findPredictionDrift(fit, tally.mostSurprising(), at),
    findLoadImbalance(loads, options.imbalanceRatio, at),
  ];
}

function warnOfListener(error: unknown): void {
  process.emitWarning(
    `A listener of the monitor threw: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
}
