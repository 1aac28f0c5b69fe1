export { createSandbox } from './create-sandbox.ts';
export {
  InvalidModuleError,
  IsolationUnavailableError,
  NotPlainDataError,
  ProgramFailedError,
  ProgramLimitError,
  ProgramViolationError,
  ResumeTokenError,
  SandboxClosedError,
  SandboxStartError,
  ToolRefusedError,
  ViolationLogError,
} from './errors.ts';
export type { Spawn } from './host/launch.ts';
export type { ModuleInput } from './modules-given.ts';
export { moduleNames } from './modules/module-library.ts';
export { SandboxLimits, SandboxOptions, type SandboxOptionsInput } from './options.ts';
export type { LogLevel } from './protocol/messages.ts';
export type { Check, Diagnosis } from './report/doctor.ts';
export type { Layer, SandboxReport } from './report/report.ts';
export type {
  CallRecord,
  GuestError,
  LimitKind,
  LimitReached,
  LogLine,
  PendingApproval,
  RunEnding,
  RunFacts,
  RunResult,
  Usage,
} from './run/result.ts';
export type { RunEvent, SandboxEvents } from './run/run-events.ts';
export type { ResumeOptions, RunOptions } from './run/run-options.ts';
export type { RunStream } from './run/run-stream.ts';
export type { Sandbox, SandboxInput, SandboxPorts } from './sandbox.ts';
export { MemoryPausedRuns, type PausedRuns } from './tool/paused-runs.ts';
export {
  type ProgramInput,
  type ProgramOutput,
  type ProgramRunner,
  sandboxTool,
  type SandboxToolOptions,
} from './tool/sandbox-tool.ts';
export { type Violation, VIOLATION_TYPES, type ViolationType } from './violations/violation.ts';
export type { ViolationLog, ViolationRecord } from './violations/violation-log.ts';
