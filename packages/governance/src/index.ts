export type {
  Approval,
  ApprovalContent,
  ApprovalEvents,
  ApprovalRequest,
  ApprovalStep,
  Vote,
} from './approvals/approval.ts';
export {
  type ApprovalPage,
  type Approvals,
  type ApprovalsInput,
  ApprovalsOptions,
  type ApprovalsPorts,
  createApprovals,
  type FastApproval,
  type ListOptions,
} from './approvals/approvals.ts';
export type { ApprovalFilter, ApprovalGroup } from './approvals/approval-store.ts';
export type { BoundCall } from './approvals/binding.ts';
export {
  approvalsFor,
  type PersonalApprovals,
  type PersonalSource,
} from './approvals/approvals-for.ts';
export {
  approveRequest,
  denyRequest,
  listApprovalGroups,
  listApprovals,
  type ListApprovalsOptions,
  type VoteCommand,
} from './approvals/commands.ts';
export type { Consumption, Filed } from './approvals/desk.ts';
export { type People, visibility, type VoteObstacle } from './approvals/electorate.ts';
export {
  ApprovalClosedError,
  ApprovalMismatchError,
  ApprovalNotFoundError,
  ApprovalRequestError,
  ApprovalChangedError,
  ApprovalUnreadableError,
  FastApprovalRefusedError,
  GrantNotFoundError,
  GrantRefusedError,
  IllegalApprovalMoveError,
  NotApprovedError,
  TooManyPendingError,
  VoteRefusedError,
} from './approvals/errors.ts';
export {
  checkFastApproval,
  type FastApprovalInput,
  FastApprovalOptions,
} from './approvals/fast-approval.ts';
export {
  type ApprovalForm,
  type ApprovalFormInput,
  ApprovalFormOptions,
  type ApprovalFormPorts,
  createApprovalForm,
} from './approvals/form/approval-form.ts';
export { type Grant, type GrantInput, GrantTerms } from './approvals/grants.ts';
export { APPROVALS_MIGRATIONS } from './approvals/schema.ts';
export { APPROVAL_MOVES, APPROVAL_STATES, type ApprovalState, mayMove } from './approvals/state.ts';
export { type MatchingVoteCommand, voteOnMatching } from './approvals/vote-on-matching.ts';
export { auditFor, type PersonalAudit } from './audit/audit-for.ts';
export { type AuditLog, auditLogOf, openAuditLog, type OpenAuditLog } from './audit/audit-log.ts';
export type { CardDecision, GovernanceCard } from './audit/card.ts';
export { appendCheckpointsTo } from './audit/checkpoint-file.ts';
export { type Checkpoint, openCheckpoint } from './audit/checkpoint.ts';
export type { PublishCheckpoint } from './audit/checkpointer.ts';
export {
  type AuditExportRequest,
  type AuditProveRequest,
  type AuditVerifyRequest,
  exportAuditLog,
  proveAuditLog,
  verifyAuditLog,
} from './audit/commands.ts';
export { readRecord, recordOf } from './audit/entry-record.ts';
export { AuditNotFoundError, AuditProofError, IntentNotOpenError } from './audit/errors.ts';
export { type ExportRange, readRecords } from './audit/export-log.ts';
export { type LedgerKeys, makeLedgerKeys } from './audit/keys.ts';
export { type AuditPage, AuditQuery, type AuditQueryInput } from './audit/query.ts';
export type { RationaleOptions } from './audit/rationale.ts';
export {
  createNoteVerifier,
  type NoteVerifier,
  parseSignedNote,
  type SignedNote,
} from './audit/signed-note.ts';
export { verifyConsistencyProof, verifyInclusionProof } from './audit/tlog-proof.ts';
export {
  type LogProblem,
  type LogProblemCode,
  type LogVerification,
  verifyLog,
  type VerifyLogOptions,
  type VerifyLogPorts,
} from './audit/verify-log.ts';
export { defaultPolicyFile } from './default-policy.ts';
export {
  GovernanceUnavailableError,
  InvalidCallError,
  LedgerClosedError,
  LedgerVersionError,
  LedgerWriteError,
  NotGovernableError,
  PolicyNotLoadedError,
  UngovernedToolsError,
} from './errors.ts';
export type { CallUsage, UsageOf } from './gate/call.ts';
export type { GateEvents } from './gate/events.ts';
export type { GovernOptions } from './gate/foreign-call.ts';
export type { Coverage } from './gate/gate.ts';
export type { Governed } from './gate/govern.ts';
export type {
  KillSwitch,
  LimitBook,
  LimitShortage,
  LimitSubject,
  ReserveResult,
} from './gate/ports.ts';
export {
  createGovernance,
  type DecidedAction,
  GOVERNANCE_MIGRATIONS,
  type Governance,
  type GovernancePorts,
} from './governance.ts';
export type { ApprovalEvent, ApprovalVia, AuditEntry, AuditEntryBody } from './ledger/entry.ts';
export {
  LedgerInconsistentError,
  LedgerKeyError,
  LedgerMisuseError,
  LedgerOpenError,
} from './ledger/errors.ts';
export type { AuditedLedger, Ledger, LedgerEvents, LedgerTransaction } from './ledger/ledger.ts';
export type { Migration } from './ledger/migrations.ts';
export {
  type LedgerInput,
  LedgerOptions,
  type LedgerPorts,
  openLedger,
} from './ledger/open-ledger.ts';
export {
  CONTROLS_MIGRATION,
  createKillSwitch,
  type KillSwitchState,
  type OperableKillSwitch,
} from './limits/kill-switch.ts';
export { createLimitBook, type LimitBookOptions, LIMITS_MIGRATION } from './limits/limit-book.ts';
export { type GovernanceInput, GovernanceOptions } from './options.ts';
export {
  checkPolicy,
  type CommandResult,
  explainPolicy,
  type ExplainRequest,
  replayCommand,
  testPolicy,
} from './policy/commands.ts';
export {
  blockEverything,
  type LoadedPolicy,
  NO_POLICY_DIGEST,
  type RecordedRequest,
  type ReplayedDecision,
} from './policy/compiled-policy.ts';
export type {
  ActionHistory,
  ActionRequest,
  ApprovalDemand,
  FactValue,
  HasDone,
  LimitDemand,
  NearestRule,
  Policy,
  PolicyDecision,
  ReasonCode,
} from './policy/decision.ts';
export { loadPolicy, type LoadPolicyOptions, type PolicyLoadResult } from './policy/load-policy.ts';
export {
  type FollowedPolicy,
  followPolicyFile,
  type FollowPolicyOptions,
  type PolicyFilePorts,
} from './policy/policy-file.ts';
export {
  createPolicyHolder,
  type PolicyChange,
  type PolicyChanger,
  type PolicyHolder,
  type PolicyHolderEvents,
  type PolicyHolderPorts,
  UnknownPolicyError,
} from './policy/policy-holder.ts';
export { policyJsonSchema } from './policy/policy-schema.ts';
export {
  formatPolicyProblem,
  type PolicyProblem,
  type PolicyProblemCode,
} from './policy/problem.ts';
export {
  type ChangedDecision,
  type PastDecision,
  type PolicyReplay,
  replayPolicy,
} from './policy/replay.ts';
export type { PolicyDocument } from './policy/vocabulary.ts';
export {
  can,
  PERMISSIONS,
  type Permission,
  PermissionDeniedError,
  Person,
  personKey,
  type Role,
  ROLES,
} from './roles/roles.ts';
export { hazardsOf, type TextHazard } from './untrusted/hazards.ts';
export { type ShowOptions, showUntrusted } from './untrusted/show-untrusted.ts';
export {
  snapshotUntrusted,
  type UntrustedBounds,
  type UntrustedSnapshot,
} from './untrusted/snapshot-untrusted.ts';
