export type { BotConfig, DeploymentConfig, DeploymentTemplate } from './bot/bot-config.ts';
export {
  Bot,
  BotDefinition,
  type BotDefinitionInput,
  BotExit,
  BotId,
  BotRole,
  Deployment,
  ExitKind,
  Liveness,
  ProcessIdentity,
  Readiness,
  ResourceLimits,
  RestartPolicy,
  TemplateName,
} from './bot/bot.ts';
export type { BotProgress, SupervisedBots } from './bot/registry-port.ts';
export { BOT_STATUSES, type BotStatus, isLegalMove, LEGAL_MOVES } from './bot/status.ts';
export { connectControl, type ControlClient, type LogsOptions } from './control/control-client.ts';
export { type ControlOptions, type ControlServer, serveControl } from './control/control-server.ts';
export {
  ControlFailedError,
  ControlLostError,
  NoSupervisorError,
  SupervisorRunningError,
} from './control/errors.ts';
export { socketPathFor } from './control/socket-path.ts';
export type { Breach, UsageSample } from './limits/limit-watch.ts';
export type { LogLine } from './logs/log-line.ts';
export { type Probe, type ProbeTarget, systemProbe } from './probe/probe.ts';
export { LaunchError, ReaperError, UnsupportedPlatformError } from './process/errors.ts';
export type {
  Adoption,
  EndableTree,
  Launch,
  OutputFiles,
  OutputStream,
  Processes,
  ProcessEnd,
  ProcessTree,
  TreeUsage,
} from './process/processes.ts';
export { createSystemProcesses, type SystemProcessesOptions } from './process/system-processes.ts';
export type { BotChanges, BotUpdate, UpdateOptions } from './registry/changes.ts';
export {
  BotRequiredError,
  BotRunningError,
  DependencyError,
  DocumentError,
  DuplicateBotError,
  IllegalMoveError,
  ImportRefusedError,
  MalformedBotError,
  RegistryBusyError,
  RegistryDamagedError,
  RegistryIntactError,
  RegistryLockError,
  RevisionConflictError,
  TemplateBreaksBotError,
  TemplateInUseError,
  TooNewError,
  UnknownBotError,
  UnknownTemplateError,
} from './registry/errors.ts';
export type { RegistryEvents } from './registry/events.ts';
export type { EntryProblem, Problem } from './registry/file/problem.ts';
export type { WriteFile } from './registry/file/registry-file.ts';
export { type RegistryInput, RegistryOptions } from './registry/options.ts';
export { type BotPage, BotQuery, type BotQueryInput } from './registry/query/query.ts';
export type { RegistryStatistics } from './registry/query/statistics.ts';
export {
  type BotRegistry,
  createBotRegistry,
  type ImportOptions,
  type RegistryPorts,
} from './registry/registry.ts';
export type { Difference } from './registry/transfer/difference.ts';
export type { ConflictRule, ImportedEntry, ImportReport } from './registry/transfer/import.ts';
export {
  BotNotStartedError,
  DependencyCycleError,
  SupervisorClosedError,
  UnknownDependencyError,
} from './supervisor/errors.ts';
export type { SupervisorEvents } from './supervisor/events.ts';
export { type SupervisorInput, SupervisorOptions } from './supervisor/options.ts';
export {
  type BotReport,
  createSupervisor,
  type StartOutcome,
  type Supervisor,
  type SupervisorPorts,
} from './supervisor/supervisor.ts';
