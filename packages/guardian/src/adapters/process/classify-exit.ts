import type { ServiceExit } from '../../resource/adapters/service.ts';
import type { Sign } from '../../resource/adapters/probed.ts';

const EX_CONFIG = 78; // sysexits.h
const KILLED_BY_ABORT = 134;

/**
 * What the end of a process says: the playbook for a full heap is not the one for a missing module. `process.exited` is
 * what nothing more can be said of.
 */
export function signOfExit(
  id: string,
  exit: ServiceExit,
  { loop, endedAt }: { loop: string | undefined; /** Ms since the epoch. */ endedAt: number },
): Sign {
  const { code, signal, stderrTail } = exit;
  const how = signal === null ? `code ${code ?? 'unknown'}` : signal;
  const single = signalOf(exit);
  const isLoop = loop !== undefined && LOOPS.has(single);
  return {
    status: 'FAILED',
    signal: isLoop ? 'process.crash_loop' : single,
    certainty: 'decisive',
    note: `${id} ended with ${how}${isLoop ? `; ${loop}` : ''}`,
    data: { code, signal, stderr_tail: stderrTail, ...(isLoop && { of: single }) },
    ...(single === 'quota.exhausted' && {
      conditions: [{ name: 'quota_exhausted', until: endedAt + quotaRestMs(stderrTail) }],
    }),
  };
}

/** What a start heals; the other ends have a cause that their own playbook looks for. */
const LOOPS: ReadonlySet<string> = new Set(['process.exited', 'process.out_of_memory']);

function signalOf({ code, signal, stderrTail }: ServiceExit): string {
  const isAbort = signal === 'SIGABRT' || code === KILLED_BY_ABORT;
  if (isAbort && stderrTail.includes('heap out of memory')) return 'process.out_of_memory';
  if (/ERR_MODULE_NOT_FOUND|MODULE_NOT_FOUND|Cannot find (?:module|package)/.test(stderrTail)) {
    return 'module.not_found';
  }
  if (stderrTail.includes('EADDRINUSE')) return 'port.in_use';
  if (code === EX_CONFIG) return 'config.rejected';
  if (QUOTA.test(stderrTail)) return 'quota.exhausted';
  return 'process.exited';
}

/** As providers and their clients put it; a bare 429 may be a line number. */
const QUOTA =
  /too many requests|(?:status(?: code)?|HTTP(?:\/\d(?:\.\d)?)?)[ :=]+429\b|(?:rate|session|usage) limit (?:exceeded|reached)|quota (?:exceeded|exhausted)|insufficient_quota/i;

/** For a quota that does not say when it comes back. */
const QUOTA_REST_MS = 900_000;

/** As long as it asked for, in seconds; nothing is to call it before. */
function quotaRestMs(stderrTail: string): number {
  const asked = /retry[- ]after["']?[:= ]+(\d+)/i.exec(stderrTail)?.[1];
  return asked === undefined ? QUOTA_REST_MS : Number(asked) * 1_000;
}

/** The name of what was not found, as Node names it. */
export function missingModuleOf(stderrTail: string): string | undefined {
  return /Cannot find (?:module|package) '([^']+)'/.exec(stderrTail)?.[1];
}
