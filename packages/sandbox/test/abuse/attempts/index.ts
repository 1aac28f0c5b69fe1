import type { Attempt } from '../attempt.ts';
import { bridge } from './bridge.ts';
import { cpu } from './cpu.ts';
import { files } from './files.ts';
import { gate } from './gate.ts';
import { hostDetails } from './host-details.ts';
import { imports } from './imports.ts';
import { memory } from './memory.ts';
import { network } from './network.ts';
import { realmWalks } from './realm-walks.ts';
import { state } from './state.ts';
import { subprocess } from './subprocess.ts';
import { vm2Chains } from './vm2-chains.ts';

/** Attempts to get out, which end by themselves. */
export const escapes: readonly Attempt[] = [
  ...realmWalks,
  ...imports,
  ...vm2Chains,
  ...bridge,
  ...state,
  ...network,
  ...subprocess,
  ...files,
  ...hostDetails,
  ...gate,
];

/** Attempts to take all of the machine, which a limit has to end. */
export const loops: readonly Attempt[] = cpu;
export const bombs: readonly Attempt[] = memory;
