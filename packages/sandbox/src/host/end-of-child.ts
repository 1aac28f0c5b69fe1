import type { SandboxLimits } from '../options.ts';
import type { ChildEnd } from './child.ts';
import type { ConversationEnding } from './conversation.ts';

/** What the end of its child means for a run. */
export function endingOfChild(
  end: ChildEnd,
  limits: SandboxLimits,
  { cpuMs, peakMb }: { cpuMs: number; peakMb: number },
): ConversationEnding {
  if (end.kind === 'misbehaved') return end;
  if (/out of memory|allocation failed|heap limit/i.test(end.lastWords)) {
    const allowed = limits.memoryMb;
    return { kind: 'limit', limit: 'memory', allowed, used: Math.max(peakMb, allowed) };
  }
  if (end.signal === 'SIGXCPU' || end.code === SHELL_OF_SIGXCPU) {
    const allowed = limits.cpuMs;
    return { kind: 'limit', limit: 'cpu', allowed, used: Math.max(cpuMs, allowed) };
  }
  return {
    kind: 'crashed',
    reason: `the process ended with ${end.signal ?? `code ${end.code}`}`,
  };
}

/** A shell's exit code for a signal is 128 and the signal's number. */
const SHELL_OF_SIGXCPU = 128 + 24;
