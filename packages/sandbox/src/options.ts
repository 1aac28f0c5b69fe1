import { z } from 'zod';

export const SandboxLimits = z.strictObject({
  /** Milliseconds a run may take. Default 5000. */
  wallMs: z.number().positive().max(86_400_000).default(5_000),
  /** Milliseconds of processor time a run may use; waiting for a tool uses none. Default 5000. */
  cpuMs: z.number().positive().max(86_400_000).default(5_000),
  /** Megabytes a program may hold beyond what an empty child does. Default 512. */
  memoryMb: z.int().min(16).max(16_384).default(512),
  /** Bytes of source. Default 64 KB. The host parses it in one go, 1 to 2 ms for each KB at worst. */
  maxSourceBytes: z.int().positive().default(65_536),
  /** Levels of nesting in source. Default 256. */
  maxSourceDepth: z.int().positive().default(256),
  /** Tool calls in one run. Default 1000. */
  maxToolCalls: z.int().nonnegative().default(1_000),
  /** Tool calls under way at a time; past it, the child has to wait. Default 32. */
  maxToolCallsInFlight: z.int().positive().default(32),
  /**
   * Bytes of one tool call's input, and of its output. Default 1 MB. The host reads it in one go, 50 to 100 ms for each MB
   * at worst.
   */
  maxArgumentBytes: z.int().positive().max(8_388_608).default(1_048_576),
  /** Bytes of all tool calls' inputs and outputs in one run, which the host holds until it ends. Default 16 MB. */
  maxCallBytes: z.int().positive().default(16_777_216),
  /** Bytes of the value. Default 1 MB. */
  maxResultBytes: z.int().positive().max(8_388_608).default(1_048_576),
  /** Bytes and lines of console output; more is left out. Default 64 KB and 1000 lines. */
  maxLogBytes: z.int().nonnegative().default(65_536),
  maxLogLines: z.int().nonnegative().default(1_000),
  /** Characters of an error's message. Default 4096. */
  maxErrorChars: z.int().positive().max(65_536).default(4_096),
  /** Timers waiting at a time. Default 100. */
  maxTimers: z.int().nonnegative().default(100),
  /** Bytes and files of the scratch file system. Default 16 MB and 1000 files. */
  maxScratchBytes: z.int().nonnegative().default(16_777_216),
  maxScratchFiles: z.int().nonnegative().default(1_000),
  /** Violations after which a program is stopped, for it keeps trying. Default 100. */
  maxViolations: z.int().positive().default(100),
});
export type SandboxLimits = z.output<typeof SandboxLimits>;

export const SandboxOptions = z.strictObject({
  limits: SandboxLimits.prefault({}),
  /** `process`: a process of its own for every run. `session`: one process for all runs, a compartment for each. */
  isolation: z.enum(['process', 'session']).default('process'),
  /** Linux namespaces without network around each child: where there are any, never, or else refuse to start. */
  osIsolation: z.enum(['auto', 'off', 'require']).default('auto'),
  /** Turns off V8's compilers in the child: about five times slower, and no just-in-time compiler to attack. */
  hardened: z.boolean().default(false),
  /** Starts children from a snapshot kept in the user's cache, where one can be made: a quarter less processor time each. */
  startupSnapshot: z.enum(['auto', 'off']).default('auto'),
  /** Children kept ready. Default 2. */
  poolSize: z.int().min(1).max(64).default(2),
  /** Runs at a time; more wait for their turn. Default 8. */
  concurrency: z.int().min(1).max(256).default(8),
  /** Hands out tools of tier 3 that no gate stands in front of. Default false. */
  allowUngoverned: z.boolean().default(false),
});
export type SandboxOptionsInput = z.input<typeof SandboxOptions>;
export type SandboxOptions = z.output<typeof SandboxOptions>;
