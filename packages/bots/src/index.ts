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
} from './bot/bot.ts';
export type { BotProgress, SupervisedBots } from './bot/registry-port.ts';
export { BOT_STATUSES, type BotStatus, isLegalMove, LEGAL_MOVES } from './bot/status.ts';
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
export {
  BotNotStartedError,
  DependencyCycleError,
  SupervisorClosedError,
  UnknownDependencyError,
  UnsupervisedBotError,
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
