import type { ExitKind } from '../bot/bot.ts';
import type { ProcessEnd } from '../process/processes.ts';

/** A line of a bot's standard error. */
export interface LastError {
  /** As it was written, secrets and all: to be looked at, never to be kept or told. */
  readonly raw: string;
  /** Without its secrets, as it is in the log. */
  readonly shown: string;
}

export interface Ending extends ProcessEnd {
  /** The last of them. */
  readonly lastErrors: readonly LastError[];
}

export interface Verdict {
  readonly kind: ExitKind;
  /** For people: `exit code 1`. It goes into the registry's file and to whoever asks, so no secret is in it. */
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
  const told = lastErrors.find(({ raw }) => OUT_OF_MEMORY.test(raw));
  if (told) return { kind: 'out_of_memory', reason: `${how}: ${quote(told)}` };
  const inUse = lastErrors.find(({ raw }) => ADDRESS_IN_USE.test(raw));
  if (inUse) return { kind: 'address_in_use', reason: `${how}: ${quote(inUse)}` };
  return { kind: signal === null ? 'crash' : 'signal', reason: how };
}

/** A reason is a line in a table; the whole of it is in the log. */
const LONGEST_QUOTE = 200;

function quote({ shown }: LastError): string {
  const characters = Array.from(shown.trim());
  if (characters.length <= LONGEST_QUOTE) return characters.join('');
  return `${characters.slice(0, LONGEST_QUOTE).join('')}…`;
}

/** 128 + 9: a shell's words for a child that was ended so. */
const SHELL_TOLD_SIGKILL = 137;

export function describeEnd({ exitCode, signal }: Pick<ProcessEnd, 'exitCode' | 'signal'>): string {
  if (signal !== null) return `signal ${signal}`;
  if (exitCode !== null) return `exit code ${exitCode}`;
  return 'it ended; how is not known, for it was adopted';
}
