import { createHash } from 'node:crypto';
import type { Actor, Tier } from '@buddy/core';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import type { Gate } from './gate.ts';

/** What tools of other frameworks do not say of themselves. */
export interface GovernOptions {
  /** Who acts. Default the agent `agent`. */
  actor?: Actor;
  /** Why, for the log: one short sentence. Default the name of the framework. */
  rationale?: string;
  /** Calls of one run share its frozen policy and its limits. */
  runId?: string;
  /**
   * For what differs from call to call. It is given what the framework tells a tool of its call: the AI SDK its options, OpenAI
   * Agents the `RunContext`, MCP the request's context with who is signed in; functions nothing. When it throws, nothing is done.
   * @example
   * governance.govern(server, { describeCall: (context) => ({ actor: actorOf(context.authInfo) }) });
   */
  describeCall?: (context: unknown) => Pick<GovernOptions, 'actor' | 'rationale' | 'runId'>;
  /** Of a plain function; the tools of frameworks have theirs. Default the function's own name. */
  name?: string;
  /** How much autonomy it takes. Default unknown: then a rule has to say, and without one every call is refused. */
  tier?: Tier;
}

export interface ForeignTool {
  name: string;
  /** What the framework calls itself, for the rationale. */
  framework: string;
  /** All that a model is told of it: when that changes, it is another tool. */
  description: unknown;
  schema: unknown;
}

const ANYONE: Actor = { kind: 'agent', id: 'agent' };

export interface ForeignCall {
  input: unknown;
  /** What the framework tells the tool of this call; undefined where there is nothing. */
  context: unknown;
}

/** A call of a tool that knows no keys: the same arguments in the same run are the same piece of work. */
export async function callThroughGate<Output>(
  gate: Gate,
  { name, framework, description, schema }: ForeignTool,
  { describeCall, ...options }: GovernOptions,
  { input, context }: ForeignCall,
  perform: (snapshot: unknown) => Promise<Output>,
): Promise<Output> {
  const {
    actor = ANYONE,
    rationale = `called through ${framework}`,
    runId,
    tier,
  }: GovernOptions = { ...options, ...describeCall?.(context) };
  return gate.run({
    action: name,
    ...(tier !== undefined && { declaredTier: tier }),
    toolDigest: digestOf({ name, description: jsonOf(description), schema: schemaJsonOf(schema) }),
    input,
    actor,
    rationale,
    // Keyed, for it stands in the database beside the sealed arguments.
    // Of the snapshot, for what came may be endless, or do things when it is read.
    idempotencyKey: (snapshot) =>
      `${runId ?? ''}:${gate.digestOf({ name, actor, tier: tier ?? null, input: jsonOf(snapshot) })}`,
    ...(runId !== undefined && { runId }),
    asksAgain: true,
    perform,
  });
}

export function digestOf(value: object): string {
  return createHash('sha256').update(canonicalText(value)).digest('hex');
}

function canonicalText(value: object): string {
  try {
    return canonicalize(value) ?? '';
  } catch {
    return JSON.stringify(value); // half of a surrogate pair, which RFC 8785 knows no form of; the gate refuses it
  }
}

const schemaJson = new WeakMap<object, unknown>();

/** JSON Schema, where it is one of zod 4: what JSON keeps of such an object lacks its checks and descriptions. */
function schemaJsonOf(schema: unknown): unknown {
  if (!(schema instanceof z.core.$ZodType)) return jsonOf(schema);
  const known = schemaJson.get(schema);
  if (known !== undefined) return known;
  const made: unknown = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  schemaJson.set(schema, made);
  return made;
}

/** What JSON keeps of it. */
function jsonOf(value: unknown): unknown {
  try {
    const text: unknown = JSON.stringify(value, (_key, part: unknown) =>
      typeof part === 'bigint' ? part.toString() : part,
    );
    return typeof text === 'string' ? JSON.parse(text) : null;
  } catch {
    return null; // cyclic: the gate refuses such arguments, and such a schema says nothing
  }
}
