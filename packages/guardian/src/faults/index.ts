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
export {
  FaultCapError,
  FaultLeftBehindError,
  FaultsForbiddenError,
  FaultUnavailableError,
  FaultWitnessError,
} from './errors.ts';
export {
  type FaultKit,
  type FaultKitInput,
  FaultKitOptions,
  type FaultKitPorts,
  type InjectOptions,
  openFaultKit,
} from './fault-kit.ts';
export { AVAILABLE, type Capability, type FaultHost, thisHost } from './host.ts';
export type { InjectedFault } from './injected-fault.ts';
export { LoopbackHost } from './loopback.ts';
export { fdLeak, heapLeak, loopBlock } from './node-runtime.ts';
export { portOccupy } from './port-occupy.ts';
export { processExit, processKill, processStop } from './process.ts';
export {
  recoverFaults,
  type RecoveredFault,
  type RecoverFaultsInput,
  type RecoverFaultsPorts,
} from './recover-faults.ts';
export { fileRemove } from './world.ts';
export { fileCorrupt, fileTruncate, policyTamper } from './file-faults.ts';
export { diskFill } from './disk-fill.ts';
