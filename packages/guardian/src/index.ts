export {
  type AgentProgram,
  type AgentReport,
  type AgentTurn,
  type CheckpointStore,
  createSupervisedAgent,
  type SupervisedAgent,
  type SupervisedAgentInput,
  SupervisedAgentOptions,
  type SupervisedAgentPorts,
} from './adapters/agent/supervised-agent.ts';
export {
  type AuditCheckpoint,
  type AuditLink,
  type AuditSegment,
  openSegmentedAuditLog,
  type SegmentedAuditLog,
  type SegmentedAuditLogInput,
  SegmentedAuditLogOptions,
  type SegmentedAuditLogPorts,
  type SegmentRequest,
} from './adapters/audit/segmented-audit-log.ts';
export {
  type ConfigConsumer,
  configDigest,
  type ConfigFileInput,
  ConfigFileOptions,
  type ConfigFilePorts,
  createConfigFile,
} from './adapters/config-file/config-file.ts';
export {
  type Authentication,
  createCredential,
  type Credential,
  type CredentialInput,
  CredentialOptions,
  type CredentialPorts,
  CredentialStoppedError,
  type SecretSource,
  SecretUnavailableError,
} from './adapters/credential/credential.ts';
export {
  httpAuthentication,
  type HttpAuthenticationOptions,
} from './adapters/credential/http-authentication.ts';
export {
  FileRefusals,
  MemoryRefusals,
  type RefusalStore,
} from './adapters/credential/refusal-store.ts';
export {
  createFolderDisk,
  type FolderDiskInput,
  FolderDiskOptions,
  type FolderDiskPorts,
  type PausableWriters,
} from './adapters/disk/folder-disk.ts';
export {
  createDnsResolvers,
  type DnsResolvers,
  type DnsResolversInput,
  DnsResolversOptions,
  NameNotResolvedError,
} from './adapters/dns/dns-resolvers.ts';
export {
  type HttpEndpointInput,
  HttpEndpointOptions,
} from './adapters/endpoint/endpoint-options.ts';
export type {
  EndpointAnswer,
  EndpointRequest,
  HttpAnswer,
} from './adapters/endpoint/http-client.ts';
export {
  createHttpEndpoint,
  type HttpEndpoint,
  type HttpEndpointPorts,
} from './adapters/endpoint/http-endpoint.ts';
export { OutboxFullError } from './adapters/endpoint/outbox.ts';
export { EndpointUnavailableError } from './adapters/endpoint/request-sender.ts';
export {
  createReceiptGate,
  GateDeniedError,
  type Guard,
  type GuardedCall,
  type ReceiptGate,
  type ReceiptGateOptions,
} from './adapters/guardrails/receipt-gate.ts';
export {
  openSignedPolicy,
  releasePolicy,
  type SignedPolicy,
  type SignedPolicyInput,
  SignedPolicyOptions,
  type SignedPolicyPorts,
} from './adapters/guardrails/signed-policy.ts';
export {
  createOllamaServer,
  type OllamaServer,
  type OllamaServerInput,
  OllamaServerOptions,
  type OllamaServerPorts,
} from './adapters/model-server/ollama-server.ts';
export {
  createInstalledModules,
  type InstalledModules,
  type InstalledModulesInput,
  InstalledModulesOptions,
} from './adapters/modules/installed-modules.ts';
export {
  createHttpPort,
  type HttpPortInput,
  HttpPortOptions,
  type HttpPortPorts,
} from './adapters/port/http-port.ts';
export type { PostgresClient, PostgresPool } from './adapters/postgres/client.ts';
export {
  createPostgresDatabase,
  type PostgresDatabase,
  type PostgresDatabaseInput,
  PostgresDatabaseOptions,
  type PostgresDatabasePorts,
} from './adapters/postgres/postgres-database.ts';
export {
  createPostgresServer,
  type PostgresServerInput,
  PostgresServerOptions,
} from './adapters/postgres/postgres-server.ts';
export { readPostgresError } from './adapters/postgres/read-error.ts';
export {
  type BotServiceInput,
  BotServiceOptions,
  type BotServicePorts,
  type BotSupervisor,
  createBotService,
  serviceMark,
} from './adapters/process/bot-service.ts';
export {
  createProcessService,
  type ProcessServiceInput,
  ProcessServiceOptions,
  type ProcessServicePorts,
} from './adapters/process/process-service.ts';
export {
  type Command,
  createServiceLaunch,
  type ServiceLaunch,
  type ServiceLaunchInput,
  ServiceLaunchOptions,
  type ServiceLaunchPorts,
} from './adapters/process/service-launch.ts';
export { createServiceWorkers } from './adapters/queue/service-workers.ts';
export {
  type ClaimedJob,
  type DeadLetter,
  openSqliteQueue,
  type QueueWorkers,
  type SqliteQueue,
  type SqliteQueueInput,
  SqliteQueueOptions,
  type SqliteQueuePorts,
} from './adapters/queue/sqlite-queue.ts';
export {
  type CallPriority,
  createQuota,
  type Quota,
  type QuotaAnswer,
  quotaAnswerOf,
  QuotaExhaustedError,
  type QuotaInput,
  QuotaOptions,
  type QuotaPorts,
} from './adapters/quota/quota.ts';
export {
  type CodeRunner,
  type CodeRunnerInput,
  CodeRunnerOptions,
  startCodeRunner,
} from './adapters/sandbox/code-runner.ts';
export {
  type GuardedSandbox,
  type GuardedSandboxInput,
  GuardedSandboxOptions,
  type GuardedSandboxPorts,
  openGuardedSandbox,
  type SandboxHost,
  type SandboxJob,
} from './adapters/sandbox/guarded-sandbox.ts';
export type { Backup } from './adapters/sqlite/backup-folder.ts';
export { readSqliteError } from './adapters/sqlite/read-error.ts';
export {
  createSqliteDatabase,
  type SqliteDatabase,
  type SqliteDatabaseInput,
  SqliteDatabaseOptions,
  type SqliteDatabasePorts,
  type SqliteWriters,
} from './adapters/sqlite/sqlite-database.ts';
export {
  CertificateRefusedError,
  type CertificatePair,
  type CertificateSource,
  pemFiles,
} from './adapters/tls/certificate-source.ts';
export {
  createTlsClient,
  NoVerifiedWayError,
  type TlsClient,
  type TlsClientInput,
  TlsClientOptions,
  type TlsWay,
} from './adapters/tls/tls-client.ts';
export {
  createTlsServer,
  type TlsServer,
  type TlsServerInput,
  TlsServerOptions,
  type TlsServerPorts,
} from './adapters/tls/tls-server.ts';
export { type Point, type Slope, slopeOf } from './adapters/vitals/growth.ts';
export {
  createProcessVitals,
  type ProcessVitalsInput,
  ProcessVitalsOptions,
  type ProcessVitalsPorts,
} from './adapters/vitals/process-vitals.ts';
export {
  type AuditedDryRun,
  type AuditedPlaybook,
  auditPlaybooks,
  type PlaybookAudit,
  type PlaybookAuditParts,
} from './audit/audit.ts';
export type { GuardianConfig } from './config/guardian-config.ts';
export { guardianPolicyFile } from './default-policy.ts';
export type { GuardianParts, GuardianPorts } from './engine/assemble.ts';
export type { AlertKind, GuardianEvents } from './engine/events.ts';
export { createGuardian, type Guardian } from './engine/guardian.ts';
export type { Reported } from './engine/intake.ts';
export type { MaintenanceRequest } from './engine/maintenance.ts';
export { type GuardianInput, GuardianOptions } from './engine/options.ts';
export type { DryRun, Plan, PlannedStep } from './engine/plan.ts';
export type { PlaybookStats } from './engine/playbook-record.ts';
export type { RehearsalRequest, RehearsedFault } from './engine/rehearsal.ts';
export type { Govern, StepCall } from './engine/step-tools.ts';
export {
  AutonomyError,
  GuardianConfigError,
  GuardianMisuseError,
  GuardianStoppedError,
  RehearsalError,
  StepTimeoutError,
  StoreInUseError,
  StoreVersionError,
  StoreWriteError,
  UndeclaredEffectError,
  InspectorLostError,
  JobQuarantinedError,
  PolicyReleaseError,
  QueuePausedError,
  SandboxDownError,
  TemplateChangedError,
} from './errors.ts';
export type {
  Closing,
  Incident,
  Run,
  RunResult,
  StepEntry,
  StepState,
} from './incident/incident.ts';
export {
  Condition,
  Symptom,
  SYMPTOM_OUTCOMES,
  type SymptomInput,
  type SymptomOutcome,
} from './incident/symptom.ts';
export type { Mttr } from './mttr/mttr-tracker.ts';
export { type Check, probeOf, type Verification } from './playbook/check.ts';
export type {
  DiagnosedContext,
  EffectName,
  JsonValue,
  Needs,
  PlaybookContext,
  RoleAdapters,
  StepContext,
  UndoContext,
} from './playbook/context.ts';
export {
  definePlaybook,
  type Playbook,
  PLAYBOOK_CATEGORIES,
  type PlaybookCategory,
  type PlaybookInput,
} from './playbook/define-playbook.ts';
export { rollbacksMarkdown } from './playbook/rollbacks-markdown.ts';
export {
  type ChangingStep,
  type CheckedStep,
  type HumanStep,
  irreversible,
  type Irreversible,
  type NonEmpty,
  type ObservingStep,
  type StepFactory,
  type StepInput,
  type Undo,
} from './playbook/step.ts';
export { type Contraindication, on, type Trigger } from './playbook/trigger.ts';
export { agentStuck } from './playbooks/agent-stuck.ts';
export { apiTimeout } from './playbooks/api-timeout.ts';
export { auditChainBroken } from './playbooks/audit-chain-broken.ts';
export { builtinPlaybooks } from './playbooks/builtin-playbooks.ts';
export { certificateExpired } from './playbooks/certificate-expired.ts';
export { configInvalid } from './playbooks/config-invalid.ts';
export { configMissing } from './playbooks/config-missing.ts';
export { crashLoop } from './playbooks/crash-loop.ts';
export { credentialsInvalid } from './playbooks/credentials-invalid.ts';
export { databaseCorrupted } from './playbooks/database-corrupted.ts';
export { databaseLocked } from './playbooks/database-locked.ts';
export { databaseUnavailable } from './playbooks/database-unavailable.ts';
export { diskFull } from './playbooks/disk-full.ts';
export { dnsFailure } from './playbooks/dns-failure.ts';
export { eventLoopBlocked } from './playbooks/event-loop-blocked.ts';
export { fdExhausted } from './playbooks/fd-exhausted.ts';
export { guardrailBypassed } from './playbooks/guardrail-bypassed.ts';
export { memoryLeak } from './playbooks/memory-leak.ts';
export { modelServerDown } from './playbooks/model-server-down.ts';
export { modelStuck } from './playbooks/model-stuck.ts';
export { moduleNotFound } from './playbooks/module-not-found.ts';
export { networkDegradation } from './playbooks/network-degradation.ts';
export { networkUnreachable } from './playbooks/network-unreachable.ts';
export { outOfMemory } from './playbooks/out-of-memory.ts';
export { policyDrift } from './playbooks/policy-drift.ts';
export { portInUse } from './playbooks/port-in-use.ts';
export { portNotResponding } from './playbooks/port-not-responding.ts';
export { queueBacklog } from './playbooks/queue-backlog.ts';
export { quotaExhausted } from './playbooks/quota-exhausted.ts';
export { sandboxBreach } from './playbooks/sandbox-breach.ts';
export { serviceCrashed } from './playbooks/service-crashed.ts';
export { slowBoot } from './playbooks/slow-boot.ts';
export {
  type GuardianPolicy,
  policyFor,
  type PolicyRule,
  type PolicyTest,
} from './policy/policy-for.ts';
export { createLagMeter, type LagMeter } from './probes/lag-meter.ts';
export { applicationProbe, type ApplicationProbeOptions } from './probes/layers/application.ts';
export { nobodyAnswers, type Target } from './probes/layers/connect.ts';
export { dataLinkProbe } from './probes/layers/data-link.ts';
export {
  createLayerProbes,
  type LayerProbes,
  type LayerProbesEvents,
  type LayerProbesInput,
  LayerProbesOptions,
  type LayerSummary,
} from './probes/layers/layer-probes.ts';
export {
  type Layer,
  type LayerProbe,
  LAYERS,
  type NegativeControl,
} from './probes/layers/layer.ts';
export { networkProbe, type NetworkProbeOptions } from './probes/layers/network.ts';
export { presentationProbe, type PresentationProbeOptions } from './probes/layers/presentation.ts';
export {
  lineSession,
  type LineSessionOptions,
  type SessionAdapter,
  sessionProbe,
} from './probes/layers/session.ts';
export { transportProbe } from './probes/layers/transport.ts';
export { type Sample, type SampleRequest, takeSample } from './probes/sampler.ts';
export type { CredentialAdapter, QuotaAdapter } from './resource/adapters/access.ts';
export type { LockHolder, PostgresAdapter, SqliteAdapter } from './resource/adapters/database.ts';
export type {
  ConfigFileAdapter,
  DiskAdapter,
  DiskSpace,
  ReclaimableFile,
} from './resource/adapters/files.ts';
export type { ModelLimits, ModelServerAdapter } from './resource/adapters/model-server.ts';
export type {
  BreakerState,
  DnsAdapter,
  EndpointAdapter,
  KnownAddresses,
  PathMeasure,
  PortAdapter,
  TlsAdapter,
  VerifiedCertificate,
} from './resource/adapters/network.ts';
export type { Probed, Sign } from './resource/adapters/probed.ts';
export type {
  AuditLogAdapter,
  GuardrailsAdapter,
  SandboxAdapter,
} from './resource/adapters/safeguards.ts';
export type {
  LaunchAdapter,
  LaunchSettings,
  ModulesAdapter,
  ProcessIdentity,
  ServiceAdapter,
  ServiceExit,
  ServiceState,
  Vitals,
  VitalsAdapter,
} from './resource/adapters/service.ts';
export type {
  AgentAdapter,
  AgentProgress,
  QueueAdapter,
  QueueHead,
} from './resource/adapters/work.ts';
export { type EffectMethod, EFFECTS, type EffectNature } from './resource/effects.ts';
export type { AnyAdapter, ResourceAdapters, ResourceKind } from './resource/kinds.ts';
export { HEALTHY, type Reading, type UnknownReason } from './resource/reading.ts';
export type { Resource, ResourceInput } from './resource/registry.ts';
export type { GuardianHealth, GuardianStats, PlaybookView } from './stats/stats.ts';
export { MemoryStore } from './store/memory-store.ts';
export { openSqliteStore } from './store/sqlite-store.ts';
export type {
  Certificate,
  GuardianStore,
  JournaledRun,
  Ledger,
  MaintenanceWindow,
  PlaybookTotals,
  StoreChange,
  StoredState,
} from './store/store.ts';
export { createTaskHealer, type FailedTask } from './tasks/task-healer.ts';
export { VITALS_SOCKET } from './vitals/vitals-socket.ts';
