import { buddy } from './buddy.ts';
import type { SandboxContender } from './contender.ts';
import { isolatedVm } from './isolated-vm.ts';
import { nodeVm } from './node-vm.ts';
import { plain } from './plain.ts';
import { quickJs } from './quickjs.ts';
import { sesInProcess } from './ses.ts';
import { sesInWorker } from './ses-worker.ts';
import { vm2 } from './vm2.ts';

export const RIVALS: readonly SandboxContender[] = [
  isolatedVm,
  quickJs,
  vm2,
  sesInProcess,
  sesInWorker,
  nodeVm,
];
export const CONTENDERS: readonly SandboxContender[] = [buddy, ...RIVALS, plain];
