export {
  type ClientDependencies,
  getGoHighLevelClient,
  getGraphMailClient,
  getMployerClient,
} from './dry-run/clients.ts';
export type { Environment } from './dry-run/dry-run.ts';
export {
  type CallIdentity,
  ConflictError,
  EnvironmentError,
  ForbiddenError,
  NetworkError,
  NotConfiguredError,
  NotFoundError,
  type Provider,
  ProviderAuthError,
  ProviderError,
  type ProviderErrorOptions,
  ProviderTimeoutError,
  ProviderUnavailableError,
  RateLimitError,
  ValidationError,
} from './errors.ts';
export type { CallOptions, ConnectionTest } from './exchange/call-options.ts';
export type { Journal, JournalEntry } from './exchange/journal.ts';
export type { Latency, LatencyDistribution } from './exchange/latency.ts';
export { FaultRulesError } from './faults/errors.ts';
export { FaultRule, type Faults } from './faults/fault-rule.ts';
export { SEED_FAULTS } from './faults/profiles.ts';
export type {
  GoHighLevelClient,
  GoHighLevelContact,
  GoHighLevelContactList,
} from './gohighlevel/client.ts';
export { GoHighLevelContactUpdate, NewGoHighLevelContact } from './gohighlevel/contact-fields.ts';
export { createGoHighLevelMock, type GoHighLevelMock } from './gohighlevel/mock.ts';
export type { GoHighLevelMockInput } from './gohighlevel/options.ts';
export { sampleContacts } from './gohighlevel/sample-contacts.ts';
export type {
  BatchStep,
  BatchStepAnswer,
  GraphMailClient,
  MessageList,
  MessageQuery,
  MessageUpdate,
} from './graph-mail/client.ts';
export type { MailAttachment, MailFolderInfo, MailMessage } from './graph-mail/mail-message.ts';
export type { MailFolder } from './graph-mail/mailbox.ts';
export {
  type Importance,
  type InternetMessageHeader,
  type ItemBody,
  OutgoingMessage,
  type Recipient,
} from './graph-mail/message-fields.ts';
export { createGraphMailMock, type GraphMailMock } from './graph-mail/mock.ts';
export type { GraphMailMockInput } from './graph-mail/options.ts';
export type {
  ContactTransfer,
  MployerClient,
  MployerCompany,
  MployerContact,
  MployerExtraction,
  MployerSearchPage,
  MployerSearchResult,
  MployerSession,
  Seniority,
  TransferReport,
} from './mployer/client.ts';
export { MployerFilters } from './mployer/filters.ts';
export { createMployerMock, type MployerMock } from './mployer/mock.ts';
export type { MployerMockInput } from './mployer/options.ts';
