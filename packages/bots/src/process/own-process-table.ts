import { createLinuxProcessTable } from './linux-process-table.ts';
import type { ProcessTable } from './process-table.ts';
import { createPsProcessTable, readMacBootId } from './ps-process-table.ts';

/** The table of this machine; undefined on Windows, which has neither process groups nor SIGTERM. */
export function ownProcessTable(lookUp?: 'proc' | 'ps'): ProcessTable | undefined {
  const { platform } = process;
  if (platform === 'darwin') return createPsProcessTable(readMacBootId());
  if (platform !== 'linux' && platform !== 'android') return undefined;
  const table = createLinuxProcessTable();
  return lookUp === 'ps' ? createPsProcessTable(table.bootId) : table;
}
