export { agentScript, createScriptedAgent, type ScriptedAgent } from './agent-script.ts';
export { builtinFaults, capabilities } from './builtin-faults.ts';
export {
  defineFault,
  type Fault,
  type FaultCaps,
  type FaultInput,
  type FaultTools,
  type OpenedFault,
  type RecoverableFault,
} from './define-fault.ts';
export { diskFill } from './disk-fill.ts';
export {
  FaultCapError,
  FaultLeftBehindError,
  FaultsForbiddenError,
  FaultUnavailableError,
  FaultWitnessError,
} from './errors.ts';
export { fakeOllama } from './fake-ollama.ts';
export {
  type FaultKit,
  type FaultKitInput,
  FaultKitOptions,
  type FaultKitPorts,
  type InjectOptions,
  openFaultKit,
} from './fault-kit.ts';
export { fileCorrupt, fileTruncate, policyTamper } from './file-faults.ts';
export { createStubbableGuard, guardStub, type StubbableGuard } from './guard-stub.ts';
export { AVAILABLE, type Capability, type FaultHost, thisHost } from './host.ts';
export type { InjectedFault } from './injected-fault.ts';
export { LoopbackHost } from './loopback.ts';
export { credentialRotate } from './network/credential-rotate.ts';
export { dns } from './network/dns-fault.ts';
export {
  DnsMisbehaviour,
  type DnsServer,
  type DnsServerInput,
  DnsServerOptions,
  openDnsServer,
} from './network/dns-server.ts';
export { http, HttpMisbehaviour } from './network/http-fault.ts';
export { netns } from './network/netns.ts';
export { relay, tcpBlackhole } from './network/path-faults.ts';
export {
  Impairment,
  type ImpairmentInput,
  openRelay,
  type Relay,
  type RelayInput,
  RelayOptions,
  type RelayPing,
} from './network/relay.ts';
export {
  type CertificateFlaw,
  createTestAuthority,
  type TestAuthority,
} from './network/test-authority.ts';
export { tls } from './network/tls-fault.ts';
export { fdLeak, heapLeak, loopBlock } from './node-runtime.ts';
export { portOccupy } from './port-occupy.ts';
export { processExit, processKill, processStop } from './process.ts';
export {
  type RecoveredFault,
  recoverFaults,
  type RecoverFaultsInput,
  type RecoverFaultsPorts,
} from './recover-faults.ts';
export { fileRemove } from './world.ts';
