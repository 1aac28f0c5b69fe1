export { defaultPolicyFile } from './default-policy.ts';
export { LedgerClosedError, LedgerWriteError } from './errors.ts';
export type { ApprovalEvent, ApprovalVia, AuditEntry, AuditEntryBody } from './ledger/entry.ts';
export type { AuditedLedger, Ledger, LedgerEvents, LedgerTransaction } from './ledger/ledger.ts';
export {
  type LedgerInput,
  LedgerOptions,
  type LedgerPorts,
  openLedger,
} from './ledger/open-ledger.ts';
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
