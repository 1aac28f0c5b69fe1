export type { AccessToken } from './client/credentials.ts';
export type { Fetch } from './client/fetch-transport.ts';
export { Retries, type RetriesInput } from './client/retry.ts';
export type { ClientDependencies } from './dry-run/client-dependencies.ts';
export type { Environment } from './dry-run/dry-run.ts';
export { getGoHighLevelClient } from './dry-run/get-gohighlevel-client.ts';
export { getGraphMailClient } from './dry-run/get-graph-mail-client.ts';
export { getMployerClient } from './dry-run/get-mployer-client.ts';
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
  SchemaDriftError,
  ValidationError,
} from './errors.ts';
export type { CallOptions, ConnectionTest } from './exchange/call-options.ts';
export type { Latency, LatencyDistribution } from './exchange/latency.ts';
export { FaultRulesError } from './faults/errors.ts';
export {
  type Fault,
  FAULT_PROFILES,
  type FaultProfile,
  FaultRule,
  type Faults,
  type When,
} from './faults/fault-rule.ts';
export type { FaultControl } from './faults/faults-in-force.ts';
export { SEED_FAULTS } from './faults/profiles.ts';
export type {
  ContactFilter,
  ContactQuery,
  ContactSearchResult,
  GoHighLevelChannel,
  GoHighLevelClient,
  GoHighLevelContact,
  GoHighLevelContactList,
  GoHighLevelDndSetting,
} from './gohighlevel/client.ts';
export { GoHighLevelContactUpdate, NewGoHighLevelContact } from './gohighlevel/contact-fields.ts';
export {
  createGoHighLevelClient,
  type GoHighLevelClientInput,
  type GoHighLevelClientPorts,
  type GoHighLevelTokens,
} from './gohighlevel/create-client.ts';
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
  SentMessage,
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
export {
  createGraphMailClient,
  type GraphMailClientInput,
  type GraphMailClientPorts,
} from './graph-mail/create-client.ts';
export {
  createMailboxGates,
  type MailboxGates,
  type MailboxGatesInput,
} from './graph-mail/mailbox-gates.ts';
export { createGraphMailMock, type GraphMailMock } from './graph-mail/mock.ts';
export type { GraphMailMockInput } from './graph-mail/options.ts';
export type {
  ContactTransfer,
  MployerClient,
  MployerCompany,
  MployerContact,
  MployerExtraction,
  MployerSearchOptions,
  MployerSearchPage,
  MployerSearchResult,
  MployerSession,
  Seniority,
  TransferOptions,
  TransferReport,
} from './mployer/client.ts';
export {
  createMployerClient,
  type MployerClientInput,
  type MployerClientPorts,
} from './mployer/create-client.ts';
export { MployerFilters } from './mployer/filters.ts';
export { createMployerMock, type MployerMock } from './mployer/mock.ts';
export type { MployerMockInput } from './mployer/options.ts';
export type { JournaledRequest, JournaledResponse, JournalEntry } from './journal/entry.ts';
export { JournalExpectationError } from './journal/errors.ts';
export type { ExpectedCall, JournalExpectation } from './journal/expectation.ts';
export type { Har, HarEntry, HarPair, HarRequest, HarResponse } from './journal/har.ts';
export type { Journal } from './journal/journal.ts';
export type { ControlOptions } from './server/control.ts';
export { MockServerError } from './server/errors.ts';
export {
  type MockServer,
  type MockServerInput,
  type SecureMockServer,
  startMockServer,
} from './server/mock-server.ts';
export type { Mock } from './wire/exchange.ts';
export type { Json } from './wire/message.ts';
export type { StateChange } from './wire/provider.ts';
