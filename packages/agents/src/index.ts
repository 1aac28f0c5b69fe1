export type {
  ActivityCall,
  ActivityResult,
  ChildHandle,
  ChildResult,
  ChildStart,
  DurableContext,
  Received,
  Workflow,
} from './durable/durable-context.ts';
export type { Engine, Registration, WorkflowResult, WorkflowView } from './durable/engine.ts';
export { NotJsonError } from './durable/json-value.ts';
export { createEngine } from './durable/local-engine.ts';
export type {
  HistoryEntry,
  Operation,
  StoredWorkflow,
  Unfinished,
  Wait,
  WorkflowStore,
} from './durable/workflow-store.ts';
export {
  connectEngine,
  type ConnectEngineInput,
  ConnectEngineOptions,
  type ConnectEnginePorts,
} from './engine-socket/connect-engine.ts';
export {
  EngineLostError,
  EngineRefusedError,
  EngineSocketTakenError,
  EngineUnreachableError,
} from './engine-socket/errors.ts';
export {
  type AskedEngine,
  type EngineSocketInput,
  EngineSocketOptions,
  type EngineSocketPorts,
  openEngineSocket,
} from './engine-socket/open-engine-socket.ts';
export {
  JournalOpenError,
  JournalReadError,
  JournalVersionError,
  JournalWriteError,
} from './journal/errors.ts';
export {
  type JournalInput,
  JournalOptions,
  type JournalPorts,
  openJournal,
} from './journal/open-journal.ts';
export {
  EngineMisuseError,
  HarnessMisuseError,
  PredictionsUnreadableError,
  RunFailedError,
  ToolRefusedError,
} from './errors.ts';
export {
  type AgentExecutor,
  type AgentExecutorEvents,
  type AgentExecutorInput,
  AgentExecutorOptions,
  createAgentExecutor,
  type ExecutionMetrics,
  type ExecutorPorts,
  type TaskRequest,
} from './execution/agent-executor.ts';
export type { Heal, TaskFailure } from './execution/heal.ts';
export {
  calibrate,
  type Calibrator,
  fitCalibrator,
  type FitOptions,
  type LogitLine,
} from './feedback/calibrator.ts';
export { WaveOrderError } from './feedback/errors.ts';
export {
  createFeedbackLoop,
  type FeedbackLoop,
  type FeedbackPorts,
} from './feedback/feedback-loop.ts';
export { type Learning, NOTHING_LEARNT, type WaveRecord } from './feedback/learning.ts';
export { type FeedbackInput, FeedbackOptions } from './feedback/options.ts';
export { type FeedbackRecord, feedbackRecords } from './feedback/records.ts';
export type {
  AgentSignal,
  CoordinationSignal,
  FeedbackSignals,
  HeuristicSignal,
  PredictionSignal,
} from './feedback/signals.ts';
export type { HarnessEvents } from './harness/events.ts';
export { createHarness, type Harness, type HarnessPorts } from './harness/harness.ts';
export { type HarnessInput, HarnessOptions } from './harness/options.ts';
export type { RunResult, RunStatus } from './harness/run-result.ts';
export {
  type AgentManager,
  type AgentPerformance,
  createAgentManager,
  type LoadSummary,
  type PlannedTask,
  type PlanWaveOptions,
  type WavePlan,
} from './manager/agent-manager.ts';
export {
  type AgentInput,
  type AgentManagerInput,
  AgentManagerOptions,
  AgentOptions,
  numberedAgents,
} from './manager/options.ts';
export type { Anomaly, AnomalyKind, AnomalyScope, AnomalySeverity } from './monitor/anomaly.ts';
export { countedAnomalies } from './monitor/counted-anomalies.ts';
export {
  findLatencyOutliers,
  type LatencyOutlier,
  type LatencyOutliers,
  type LatencySample,
} from './monitor/detectors/latency-outliers.ts';
export { MonitorSequenceError } from './monitor/errors.ts';
export {
  recomputeHealth,
  SystemHealthRecord,
  systemHealthRecord,
} from './monitor/health-record.ts';
export {
  type Health,
  HEALTH_WEIGHTS,
  type HealthInputs,
  healthOf,
  type HealthParts,
  type HealthStatus,
} from './monitor/health.ts';
export type {
  AgentMetrics,
  Percentiles,
  TaskMetrics,
  WaveMetrics,
  WaveReportMetrics,
} from './monitor/metrics.ts';
export {
  createMonitor,
  type Monitor,
  type MonitorEvents,
  type MonitorPorts,
} from './monitor/monitor.ts';
export { type MonitorInput, MonitorOptions } from './monitor/options.ts';
export { agentMetricsRecord, anomalyRecord, waveMetricsRecord } from './monitor/records.ts';
export type { Fact, Verdict, WaitingFor } from './orchestration/facts.ts';
export { OutputFailedError, OutputFolderTakenError, OutputMisuseError } from './output/errors.ts';
export { openFolderOutput } from './output/folder-output.ts';
export { MemoryOutput } from './output/memory-output.ts';
export type { Output } from './output/output.ts';
export {
  nextRunFolder,
  prepareOutputFolder,
  type PrepareOutputFolderOptions,
} from './output/run-folder.ts';
export { lowerBound } from './plan/lower-bound.ts';
export { makePlan, type PlanAgent, type PlanRequest } from './plan/make-plan.ts';
export type { Plan, PlannedAgent, Strategy } from './plan/plan.ts';
export type { PlannableTask } from './plan/task-order.ts';
export type { QueuedWork } from './plan/agent-queue.ts';
export { createWorkQueue, type WorkQueue, type WorkQueueOptions } from './plan/work-queue.ts';
export type { LoadedPredictions, PredictionSource } from './prediction/load.ts';
export type { LoadProblem, LoadProblemKind } from './prediction/load-problem.ts';
export { type Prediction, PredictionRecord, type RiskAssessment } from './prediction/prediction.ts';
export {
  createReliabilityCollector,
  type ReliabilityCollector,
} from './report/reliability/reliability-collector.ts';
export { renderReport, type Report } from './report/render-report.ts';
export type {
  ReportData,
  ReportedAction,
  ReportedAgent,
  ReportedFailure,
  ReportedFeedback,
  ReportedHealth,
  ReportedLoad,
  ReportedRun,
  ReportedTasks,
  ReportedWave,
  WaitingTask,
} from './report/report-data.ts';
export type { ReportColumn, ReportPart, ReportSection } from './report/sections.ts';
export {
  createTimelineCollector,
  type TimelineCollector,
} from './report/timeline/timeline-collector.ts';
export type { Forecasts } from './scores/forecasts.ts';
export { isotonicRegression } from './scores/isotonic-regression.ts';
export { brierScore, logLoss, skillScore, spiegelhalterZ } from './scores/proper-scores.ts';
export {
  type ForecastScores,
  type ReliabilityStep,
  scoreForecasts,
  type ScoreOptions,
} from './scores/score-forecasts.ts';
export { backoffMs, type BackoffInput, BackoffOptions } from './task/backoff.ts';
export type { Attempt, AttemptStatus, Outcome, OutcomeStatus } from './task/outcome.ts';
export type { Claim, Work } from './task/work.ts';
