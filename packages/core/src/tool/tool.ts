import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { parseOrThrow, safeParseEither } from '../parse.ts';
import type { Actor, Tier } from './action.ts';
import { ToolInputError, ToolOutputError } from './errors.ts';
import { markSelfChecking } from './self-checking-mark.ts';

/**
 * What calling a tool a second time does: `pure` - nothing more; `keyed` - nothing more, for the provider honours
 * `context.idempotencyKey`; `once` - it happens twice.
 */
export type ToolEffect = 'pure' | 'keyed' | 'once';

/**
 * What a tool is told of the call it serves. Hand it on as it is, or through `extendContext`: a runner may make signal and
 * key only when they are read, and a spread copy (`{ ...context }`) would lack them.
 */
export interface ToolContext {
  /** Aborted when nobody waits for the result any more. */
  readonly signal: AbortSignal;
  /** The same for every attempt at one piece of work. */
  readonly idempotencyKey: string;
  readonly actor: Actor;
  /** Why the call is made, in one short sentence. */
  readonly rationale: string;
  /** Which try this is, from 1. */
  readonly attempt: number;
  readonly runId?: string;
  readonly taskId?: string;
}

/** What became of a call whose answer was lost. */
export type Reconciliation<Output> =
  | { happened: true; output: Output }
  | { happened: false }
  | { happened: 'unknown' };

/** A named thing that can be done to the world. Made by `defineTool`. */
export interface Tool<Input = unknown, Output = unknown> {
  /** `provider.resource.verb`. */
  readonly name: string;
  readonly description: string;
  readonly tier: Tier;
  readonly effect: ToolEffect;
  readonly input: z.ZodType<Input>;
  readonly output: z.ZodType<Output>;
  /**
   * Checks the input, does it, checks the output.
   * @throws {ToolInputError} When the input does not fit; nothing was done.
   * @throws {ToolOutputError} When the output does not fit; it was done.
   */
  execute(input: Input, context: ToolContext): Promise<Output>;
  /** Takes back what `execute` did. */
  undo?(input: Input, output: Output, context: ToolContext): Promise<void>;
  /** Asks the provider whether a call whose answer was lost has happened. */
  reconcile?(input: Input, idempotencyKey: string): Promise<Reconciliation<Output>>;
}

/** What a tool's author writes. */
export interface ToolDefinition<InputSchema extends z.ZodType, OutputSchema extends z.ZodType> {
  name: string;
  description: string;
  tier: Tier;
  /** Default `once`, the safe one: it is never repeated while it may have happened. */
  effect?: ToolEffect;
  input: InputSchema;
  output: OutputSchema;
  execute(
    input: z.output<InputSchema>,
    context: ToolContext,
  ): Promise<z.input<OutputSchema>> | z.input<OutputSchema>;
  undo?(
    input: z.output<InputSchema>,
    output: z.output<OutputSchema>,
    context: ToolContext,
  ): Promise<void>;
  reconcile?(
    input: z.output<InputSchema>,
    idempotencyKey: string,
  ): Promise<Reconciliation<z.output<OutputSchema>>>;
}

const TOOL_NAME = /^[a-zA-Z][\w-]*(?:\.[a-zA-Z][\w-]*)*$/;

const Declaration = z.object({
  name: z.string().max(128).regex(TOOL_NAME, 'must read provider.resource.verb'),
  description: z.string().min(1, 'must say what the tool does'),
  tier: z.literal([1, 2, 3, 4]),
  effect: z.enum(['pure', 'keyed', 'once']).default('once'),
});

/**
 * Makes a tool that checks what goes in and what comes out.
 * @throws {InvalidInputError} When the name, description, tier or effect is not usable.
 * @example
 * const findContact = defineTool({
 *   name: 'crm.contacts.find',
 *   description: 'Finds a contact by e-mail address.',
 *   tier: 1,
 *   effect: 'pure',
 *   input: z.strictObject({ email: z.email() }),
 *   output: z.object({ id: z.string() }),
 *   execute: ({ email }, { signal }) => crm.find(email, { signal }),
 * });
 */
export function defineTool<InputSchema extends z.ZodType, OutputSchema extends z.ZodType>(
  definition: ToolDefinition<InputSchema, OutputSchema>,
): Tool<z.output<InputSchema>, z.output<OutputSchema>> {
  const { name, description, tier, effect } = parseOrThrow(
    Declaration,
    definition,
    `tool "${definition.name}"`,
  );
  const { input: inputSchema, output: outputSchema } = definition;
  const run = definition.execute.bind(definition);
  const execute = async (
    input: z.output<InputSchema>,
    context: ToolContext,
  ): Promise<z.output<OutputSchema>> => {
    const checking = safeParseEither(inputSchema, input);
    // Without a turn between where none is needed: what the caller does next must not come before the call.
    const given = checking instanceof Promise ? await checking : checking;
    if (!given.success) throw new ToolInputError(name, given.error);
    const made = await safeParseEither(outputSchema, await run(given.data, context));
    if (!made.success) throw new ToolOutputError(name, made.error);
    return made.data;
  };
  return Object.freeze({
    name,
    description,
    tier,
    effect,
    // True by what z.output means, but not to be proved while the schemas are type parameters.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    input: inputSchema as z.ZodType<z.output<InputSchema>>,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    output: outputSchema as z.ZodType<z.output<OutputSchema>>,
    execute: markSelfChecking(execute, definition),
    ...(definition.undo && { undo: definition.undo.bind(definition) }),
    ...(definition.reconcile && { reconcile: definition.reconcile.bind(definition) }),
  });
}

/**
 * A context with some fields changed, and all others as they were.
 * @example
 * execute: (input, context) => tool.execute(input, extendContext(context, { rationale: 'on behalf of grace' })),
 */
export function extendContext(context: ToolContext, changes: Partial<ToolContext>): ToolContext {
  const { signal, idempotencyKey, actor, rationale, attempt, runId, taskId } = context;
  return {
    signal,
    idempotencyKey,
    actor,
    rationale,
    attempt,
    ...(runId !== undefined && { runId }),
    ...(taskId !== undefined && { taskId }),
    ...changes,
  };
}

/**
 * A context for a call made by hand: a fresh idempotency key, a signal that never aborts, attempt 1, and no rationale, so that
 * a gate refuses the call in tiers 2 and 3 unless it is said why.
 * @example
 * await findContact.execute({ email: 'ada@example.com' }, toolContext({ actor: { kind: 'human', id: 'grace' } }));
 */
export function toolContext(known: Pick<ToolContext, 'actor'> & Partial<ToolContext>): ToolContext {
  return {
    signal: new AbortController().signal,
    idempotencyKey: randomUUID(),
    rationale: '',
    attempt: 1,
    ...known,
  };
}
