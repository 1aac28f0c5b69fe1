import type { ServiceExit } from '../../resource/adapters.ts';
import type { Sign } from '../../resource/adapters.ts';

const EX_CONFIG = 78; // sysexits.h
const KILLED_BY_ABORT = 134;

/**
 * What the end of a process says: the playbook for a full heap is not the one for a missing module. `process.exited` is
 * what nothing more can be said of.
 */
export function signOfExit(id: string, exit: ServiceExit): Sign {
  const { code, signal, stderrTail } = exit;
  const how = signal === null ? `code ${code ?? 'unknown'}` : signal;
  return {
    status: 'FAILED',
    signal: signalOf(exit),
    certainty: 'decisive',
    note: `${id} ended with ${how}`,
    data: { code, signal, stderr_tail: stderrTail },
  };
}

function signalOf({ code, signal, stderrTail }: ServiceExit): string {
  const isAbort = signal === 'SIGABRT' || code === KILLED_BY_ABORT;
  if (isAbort && stderrTail.includes('heap out of memory')) return 'process.out_of_memory';
  if (/ERR_MODULE_NOT_FOUND|MODULE_NOT_FOUND|Cannot find (?:module|package)/.test(stderrTail)) {
    return 'module.not_found';
  }
  if (stderrTail.includes('EADDRINUSE')) return 'port.in_use';
  if (code === EX_CONFIG) return 'config.rejected';
  return 'process.exited';
}

/** The name of what was not found, as Node names it. */
export function missingModuleOf(stderrTail: string): string | undefined {
  return /Cannot find (?:module|package) '([^']+)'/.exec(stderrTail)?.[1];
}
