import type { CredentialAdapter, QuotaAdapter } from './adapters/access.ts';
import type { PostgresAdapter, SqliteAdapter } from './adapters/database.ts';
import type { ConfigFileAdapter, DiskAdapter } from './adapters/files.ts';
import type { ModelServerAdapter } from './adapters/model-server.ts';
import type { DnsAdapter, EndpointAdapter, PortAdapter, TlsAdapter } from './adapters/network.ts';
import type { AuditLogAdapter, GuardrailsAdapter, SandboxAdapter } from './adapters/safeguards.ts';
import type {
  LaunchAdapter,
  ModulesAdapter,
  ServiceAdapter,
  VitalsAdapter,
} from './adapters/service.ts';
import type { AgentAdapter, QueueAdapter } from './adapters/work.ts';

/** The kinds of resources, and the port for each. */
export interface ResourceAdapters {
  service: ServiceAdapter;
  launch: LaunchAdapter;
  vitals: VitalsAdapter;
  port: PortAdapter;
  endpoint: EndpointAdapter;
  sqlite: SqliteAdapter;
  postgres: PostgresAdapter;
  audit_log: AuditLogAdapter;
  disk: DiskAdapter;
  config_file: ConfigFileAdapter;
  credential: CredentialAdapter;
  dns: DnsAdapter;
  tls: TlsAdapter;
  quota: QuotaAdapter;
  model_server: ModelServerAdapter;
  sandbox: SandboxAdapter;
  guardrails: GuardrailsAdapter;
  queue: QueueAdapter;
  agent: AgentAdapter;
  modules: ModulesAdapter;
}

export type ResourceKind = keyof ResourceAdapters;
export type AnyAdapter = ResourceAdapters[ResourceKind];
