import { parseOrThrow } from '@buddy/core';
import { z } from 'zod';
import type { JsonValue } from '../playbook/context.ts';
import type { Capability, FaultHost } from './host.ts';

/** How much a fault may take. Both are enforced by the kit. */
export interface FaultCaps {
  /** It is taken back after so long, whoever forgot it. */
  readonly seconds: number;
  /** Memory or disk that it may take, by `takeBytes`. 0 for what takes none. */
  readonly bytes: number;
}

/** What an injector is handed by the kit. */
export interface FaultTools {
  /** A folder for this fault alone, there from before `apply` until the fault is gone; for copies of what is broken. */
  readonly scratch: string;
  /**
   * Says that the fault is about to take so many bytes more. Call it before they are taken.
   * @throws {FaultCapError} When that is more than the cap.
   */
  readonly takeBytes: (count: number) => void;
}

/** A fault that is looked at closely and not injected yet. */
export interface OpenedFault<Note extends JsonValue, Handle> {
  /** All that `recover` needs to take it back in another process. Written down before `apply` is called. */
  readonly note: Note;
  /** Whether the fault is there now: looked at from outside, not remembered. */
  isPresent(signal: AbortSignal): Promise<boolean>;
  apply(signal: AbortSignal): Promise<void>;
  /** Takes it away, healed or not, applied whole or by half; may be called when it is gone. */
  revert(signal: AbortSignal): Promise<void>;
  /** What a test needs of it while it is there: the port of a relay. */
  readonly handle?: Handle;
}

/** What the author of a fault writes. */
export interface FaultInput<
  Options extends z.ZodType,
  Note extends z.ZodType<JsonValue, JsonValue>,
  Handle,
> {
  /** `fileRemove`. Never renamed: journals name it. */
  kind: string;
  description: string;
  /** Hosts in it are of `LoopbackHost`. */
  options: Options;
  note: Note;
  caps: FaultCaps;
  /** Why the kit cannot take it away (a process that was killed stays dead). Left out: it can, and has to show that it did. */
  lasting?: string;
  capability: (host: FaultHost) => Capability | Promise<Capability>;
  /** Looks, and changes nothing. */
  open: (
    options: z.output<Options>,
    tools: FaultTools,
  ) => Promise<OpenedFault<z.input<Note>, Handle>>;
  /** Takes back what a process left that is no more. What lived in that process is gone with it. Bears being called twice. */
  recover: (note: z.output<Note>, signal: AbortSignal) => Promise<void>;
  /** Whether something of it is still there, for `recover` to show that it helped. Left out: nothing can be looked at. */
  remains?: (note: z.output<Note>, signal: AbortSignal) => Promise<boolean>;
}

/** A fault as `recoverFaults` sees it. */
export interface RecoverableFault {
  readonly kind: string;
  readonly description: string;
  readonly caps: FaultCaps;
  readonly lasting: string | undefined;
  capability(host: FaultHost): Promise<Capability>;
  /** @throws {InvalidInputError} When the note is none of this fault. */
  recover(note: unknown, signal: AbortSignal): Promise<void>;
  remains(note: unknown, signal: AbortSignal): Promise<boolean>;
}

/** A fault that a kit can inject. Made by `defineFault` only. */
export interface Fault<Input, Handle = unknown> extends RecoverableFault {
  /** @throws {InvalidInputError} When the options are not usable. */
  open(input: Input, tools: FaultTools): Promise<OpenedFault<JsonValue, Handle>>;
}

const Face = z.object({
  kind: z
    .string()
    .max(60)
    .regex(/^[a-z][a-zA-Z0-9]*$/, 'must read like fileRemove'),
  description: z.string().min(1),
  caps: z.strictObject({ seconds: z.number().positive().finite(), bytes: z.int().nonnegative() }),
  lasting: z.string().min(1).optional(),
});

/**
 * Makes a fault: how it is put there, how it is seen, and how it is taken away, by whoever injected it or by another process.
 * @throws {InvalidInputError} When a field is not usable.
 * @example
 * const fileRemove = defineFault({
 *   kind: 'fileRemove', description: 'A file is not there.',
 *   options: z.strictObject({ path: z.string() }),
 *   note: z.strictObject({ path: z.string(), kept: z.string() }),
 *   caps: { seconds: 60, bytes: 0 },
 *   capability: () => AVAILABLE,
 *   open: async ({ path }) => {
 *     const note = { path, kept: `${path}.kept` };
 *     return {
 *       note,
 *       isPresent: async () => !existsSync(path),
 *       apply: () => rename(path, note.kept),
 *       revert: () => putBack(note),
 *     };
 *   },
 *   recover: (note) => putBack(note),
 * });
 */
export function defineFault<
  Options extends z.ZodType,
  Note extends z.ZodType<JsonValue, JsonValue>,
  Handle = undefined,
>(definition: FaultInput<Options, Note, Handle>): Fault<z.input<Options>, Handle> {
  const face = parseOrThrow(Face, definition, `fault "${definition.kind}"`);
  const { options, note, open, recover, remains, capability } = definition;
  const noteOf = (value: unknown) => parseOrThrow(note, value, `note of the fault ${face.kind}`);
  return Object.freeze({
    kind: face.kind,
    description: face.description,
    caps: face.caps,
    lasting: face.lasting,
    capability: async (host: FaultHost) => capability(host),
    open: async (input: z.input<Options>, tools: FaultTools) =>
      open(parseOrThrow(options, input, `options of the fault ${face.kind}`), tools),
    recover: async (value: unknown, signal: AbortSignal) => recover(noteOf(value), signal),
    remains: async (value: unknown, signal: AbortSignal) =>
      remains ? remains(noteOf(value), signal) : false,
  });
}
