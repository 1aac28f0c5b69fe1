import type { Actor, Tier } from '@buddy/core';
import type { Misfit } from './call.ts';
import type { Gate } from './gate.ts';
import { actorOf, isName, NOBODY } from './call-problem.ts';
import { describeSchema, digestOf } from './schema-digest.ts';

/** What tools of other frameworks do not say of themselves. */
export interface GovernOptions {
  /** Who acts. Default the agent `agent`. */
  actor?: Actor;
  /**
   * Why, for the log and for whoever approves: one short sentence. Without one, here or from `describeCall`, calls of tiers
   * 2 and 3 are refused: nobody but the caller knows.
   */
  rationale?: string;
  /** Calls of one run share its limits, and each actor's frozen policy. */
  runId?: string;
  /**
   * For what differs from call to call. It is given what the framework tells a tool of its call: the AI SDK its options, OpenAI
   * Agents the `RunContext`, MCP the request's context with who is signed in; functions nothing. When it throws, nothing is
   * done; nor when it names something and does not say it (`actor: undefined`), or names what it has no say in (`tier`). What
   * it leaves out is as it was governed with.
   * @example
   * governance.govern(server, { describeCall: (context) => ({ actor: actorOf(context.authInfo) }) });
   */
  describeCall?: (context: unknown) => CallDescription | Promise<CallDescription>;
  /** Of a plain function; the tools of frameworks have theirs. Default the function's own name. */
  name?: string;
  /** How much autonomy it takes. Default unknown: then a rule has to say, and without one every call is refused. */
  tier?: Tier;
  /**
   * Names what the tools do. Default what their schemas say: an approval holds for no other. For a plain function, and for
   * a schema of which that cannot be told (a Standard Schema without JSON Schema), where else nothing, or all that ends with
   * the process, is what an approval is bound to.
   */
  version?: string;
}

/** What may differ from call to call. */
type CallDescription = Pick<GovernOptions, 'actor' | 'rationale' | 'runId'>;

export interface ForeignTool {
  name: string;
  /** All that a model is told of it: when that changes, it is another tool. */
  description: unknown;
  schema: unknown;
}

const ANYONE: Actor = { kind: 'agent', id: 'agent' };

export interface ForeignCall {
  input: unknown;
  /** What the framework tells the tool of this call; undefined where there is nothing. */
  context: unknown;
  signal?: AbortSignal | undefined;
  findMisfit?: (snapshot: unknown) => Misfit;
}

/** A call of a tool that knows no keys: the same arguments in the same run are the same piece of work. */
export async function callThroughGate<Output>(
  gate: Gate,
  tool: ForeignTool,
  { describeCall, ...options }: GovernOptions,
  { input, context, signal, findMisfit }: ForeignCall,
  perform: (snapshot: unknown) => Promise<Output>,
): Promise<Output> {
  const { name } = tool;
  const { tier } = options;
  const answer: unknown = describeCall?.(context);
  const said = describeCall ? understood(isThenable(answer) ? await answer : answer) : {};
  const { actor = ANYONE, rationale = '', runId, problem }: Understood = { ...options, ...said };
  return gate.run({
    action: name,
    ...(tier !== undefined && { declaredTier: tier }),
    toolDigest: versionOf(tool, options.version),
    input,
    actor,
    rationale,
    ...(problem !== undefined && { problem }),
    // Keyed, for it stands in the database beside the sealed arguments.
    // Of the snapshot, for what came may be endless, or do things when it is read.
    idempotencyKey: (snapshot) =>
      `${runId ?? ''}:${gate.digestOf({ name, actor, tier: tier ?? null, input: jsonOf(snapshot) })}`,
    ...(runId !== undefined && { runId }),
    ...(signal && { signal }),
    ...(findMisfit && { findMisfit }),
    asksAgain: true,
    perform,
  });
}

type Understood = CallDescription & { problem?: string };

/**
 * What `describeCall` said. Whoever describes calls says who acts: where that is not understood, whoever acts where nothing
 * is said must not take the place.
 */
function understood(answer: unknown): Understood {
  const nobody = { actor: NOBODY };
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer))
    return { ...nobody, problem: 'describeCall must answer with an object, and did not' };
  const said: CallDescription = {};
  if ('actor' in answer) {
    const actor = actorOf(answer.actor);
    if (!actor) return { ...nobody, problem: 'the actor that describeCall says is none' };
    said.actor = actor;
  }
  for (const name in answer) {
    if (!DESCRIBED.includes(name))
      return { ...nobody, ...said, problem: `describeCall says more than ${DESCRIBED.join(', ')}` };
  }
  if ('rationale' in answer) {
    const { rationale } = answer;
    if (typeof rationale !== 'string')
      return { ...said, problem: 'the rationale that describeCall says is no text' };
    said.rationale = rationale;
  }
  if ('runId' in answer) {
    const { runId } = answer;
    if (!isName(runId)) return { ...said, problem: 'the runId that describeCall says is no name' };
    said.runId = runId;
  }
  return said;
}

const DESCRIBED: readonly string[] = ['actor', 'rationale', 'runId'];

function isThenable(value: unknown): boolean {
  return typeof Reflect.get(Object(value), 'then') === 'function';
}

const versions = new WeakMap<ForeignTool, string>();

/** Told once of each tool, when it is first called: a schema that is made only then is made no sooner. */
function versionOf(tool: ForeignTool, version: string | undefined): string {
  const known = versions.get(tool);
  if (known !== undefined) return known;
  const { name, description, schema } = tool;
  const made = digestOf({
    name,
    description: jsonOf(description),
    schema: version === undefined ? describeSchema(schema) : { version },
  });
  versions.set(tool, made);
  return made;
}

/** A signal, where a framework has one at that place. */
export function signalIn(holder: unknown, name: string): AbortSignal | undefined {
  const signal: unknown = Reflect.get(Object(holder), name);
  return signal instanceof AbortSignal ? signal : undefined;
}

/** What JSON keeps of it. */
function jsonOf(value: unknown): unknown {
  try {
    const text: unknown = JSON.stringify(value, (_key, part: unknown) =>
      typeof part === 'bigint' ? part.toString() : part,
    );
    return typeof text === 'string' ? JSON.parse(text) : null;
  } catch {
    return null; // cyclic: the gate refuses such arguments, and such a description says nothing
  }
}
