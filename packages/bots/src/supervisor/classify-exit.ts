import type { ExitKind } from '../bot/bot.ts';
import type { ProcessEnd } from '../process/processes.ts';

export interface Ending extends ProcessEnd {
  /** The last lines of its standard error. */
  readonly lastErrors: readonly string[];
}

export interface Verdict {
  readonly kind: ExitKind;
  /** For people: `exit code 1`. */
  readonly reason: string;
}

/** sysexits.h; 126 and 127 are what a shell and `env` answer for a program that cannot be run, or is not there. */
const CONFIGURATION_CODES: Readonly<Record<number, string>> = {
  78: 'its configuration is wrong (EX_CONFIG)',
  126: 'a program in it cannot be run',
  127: 'a program in it does not exist',
};

/** As runtimes say it: V8, the JVM, Python, Go, C++, Rust. */
const OUT_OF_MEMORY =
  /heap out of memory|Fatal (?:process|JavaScript) (?:out of memory|invalid size error)|java\.lang\.OutOfMemoryError|^MemoryError\b|runtime: out of memory|std::bad_alloc|memory allocation of \d+ bytes failed/;

/** libuv's code, and strerror(3) as others print it. */
const ADDRESS_IN_USE = /\bEADDRINUSE\b|address already in use/i;

/** What made a process end that nobody asked to. */
export function classifyExit({
  exitCode,
  signal,
  isKernelOutOfMemory,
  lastErrors,
}: Ending): Verdict {
  const how = describeEnd({ exitCode, signal });
  if (exitCode === 0) return { kind: 'finished', reason: how };
  const configuration = exitCode === null ? undefined : CONFIGURATION_CODES[exitCode];
  if (configuration !== undefined) {
    return { kind: 'configuration', reason: `${how}: ${configuration}` };
  }
  const isKilled = signal === 'SIGKILL' || exitCode === SHELL_TOLD_SIGKILL;
  if (isKilled && isKernelOutOfMemory) {
    return { kind: 'out_of_memory', reason: `${how}: the kernel ended it for want of memory` };
  }
  const told = lastErrors.find((line) => OUT_OF_MEMORY.test(line));
  if (told !== undefined) return { kind: 'out_of_memory', reason: `${how}: ${told.trim()}` };
  const inUse = lastErrors.find((line) => ADDRESS_IN_USE.test(line));
  if (inUse !== undefined) return { kind: 'address_in_use', reason: `${how}: ${inUse.trim()}` };
  return { kind: signal === null ? 'crash' : 'signal', reason: how };
}

/** 128 + 9: a shell's words for a child that was ended so. */
const SHELL_TOLD_SIGKILL = 137;

export function describeEnd({ exitCode, signal }: Pick<ProcessEnd, 'exitCode' | 'signal'>): string {
  if (signal !== null) return `signal ${signal}`;
  if (exitCode !== null) return `exit code ${exitCode}`;
  return 'it ended; how is not known, for it was adopted';
}
