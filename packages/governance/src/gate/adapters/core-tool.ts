import {
  isSelfChecking,
  markGoverned,
  markSelfChecking,
  safeParseEither,
  type Tool,
  type ToolContext,
  ToolInputError,
} from '@buddy/core';
import type { GatedCall, Misfit } from '../call.ts';
import type { Gate } from '../gate.ts';
import { describeSchema, digestOf } from '../schema-digest.ts';
import { copyWith } from './copy-with.ts';

/**
 * The same tool, that decides for itself before it acts and before it takes back. `reconcile` stays as it is: asking what
 * happened changes nothing.
 *
 * All of it is read once: what becomes of the object later is not what was governed.
 */
export function governTool<T extends Tool>(gate: Gate, tool: T): T {
  const { name, description, tier, effect, input, output } = tool;
  const run = tool.execute.bind(tool);
  const takeBack = tool.undo?.bind(tool);
  const reconcile = tool.reconcile?.bind(tool);
  const checksItself = isSelfChecking(tool);
  let version: string | undefined;
  // When it is first called: what a schema is by `z.lazy` may not be there before.
  const versionOf = (): string =>
    (version ??= digestOf({ name, description, tier, schema: describeSchema(input) }));

  const execute = (given: unknown, context: ToolContext): Promise<unknown> =>
    gate.run({
      ...saidBy(context),
      action: name,
      declaredTier: tier,
      toolDigest: versionOf(),
      input: given,
      canBeTakenBack: takeBack !== undefined,
      // Of one that does not check, its caller has: with a schema that transforms, no second time.
      ...(checksItself && { findMisfit: (snapshot: unknown) => misfitOf(name, input, snapshot) }),
      perform: (snapshot) => run(snapshot, context),
    });

  const undo =
    takeBack &&
    ((given: unknown, result: unknown, context: ToolContext): Promise<void> => {
      const resultDigest = gate.digestOf(result);
      // Not the signal: what was begun is taken back just when nobody waits for it any more.
      const { signal: _signal, ...said } = saidBy(context);
      return gate.run({
        ...said,
        action: `${name}.undo`,
        declaredTier: tier,
        takesBack: { action: name, resultDigest },
        // With the result: who agrees that one thing is taken back has not agreed to another.
        toolDigest: digestOf({ tool: versionOf(), result: resultDigest }),
        input: given,
        perform: (snapshot) => takeBack(snapshot, result, context),
      });
    });

  return markGoverned(
    copyWith(tool, {
      name,
      description,
      tier,
      effect,
      input,
      output,
      // Input and output are handed through: a tool that checks them goes on to, and its schema is applied once by each.
      execute: checksItself ? markSelfChecking(execute, { input, output }) : execute,
      ...(undo && { undo }),
      ...(reconcile && { reconcile }),
    }),
  );
}

type Said = Pick<
  GatedCall<unknown>,
  'actor' | 'rationale' | 'idempotencyKey' | 'runId' | 'taskId' | 'signal'
>;

/** Whatever came as the context: the gate says what is wrong with it. */
function saidBy(context: ToolContext): Said {
  const given = Object(context);
  const { actor, rationale, idempotencyKey, runId, taskId, signal }: ToolContext = given;
  return {
    actor,
    rationale,
    idempotencyKey,
    signal,
    ...(runId !== undefined && { runId }),
    ...(taskId !== undefined && { taskId }),
  };
}

function misfitOf(
  name: string,
  schema: Tool['input'],
  snapshot: unknown,
): Misfit | Promise<Misfit> {
  const checking = safeParseEither(schema, snapshot);
  return checking instanceof Promise
    ? checking.then(({ error }) => error && new ToolInputError(name, error))
    : checking.error && new ToolInputError(name, checking.error);
}
