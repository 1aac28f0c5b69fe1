import { createHmac } from 'node:crypto';
import type { Actor } from '@buddy/core';
import canonicalize from 'canonicalize';
import { ApprovalRequestError } from './errors.ts';

/** All that an agreement is for. When any of it changes, it is an agreement to something else. */
export interface BoundCall {
  actor: Actor;
  action: string;
  /** Names the tool's version: what its description and its schema are. */
  toolDigest: string;
  /** The arguments, plain data. */
  input: unknown;
  policyDigest: string;
  /** The task that it is done for. Default none. */
  taskId?: string | null;
}

/**
 * HMAC-SHA-256, in hex, of the call's canonical JSON (RFC 8785). Keyed, for arguments such as small amounts can be guessed
 * from a plain digest.
 * @throws {ApprovalRequestError} When the arguments have no canonical form.
 */
export function bindingDigest(key: Uint8Array, call: BoundCall): string {
  const { actor, action, toolDigest, input, policyDigest, taskId = null } = call;
  return keyedDigest(key, {
    kind: 'call',
    actor: partsOf(actor),
    action,
    tool: toolDigest,
    ...argumentsOf(input),
    policy: policyDigest,
    ...(taskId !== null && { task: taskId }),
  });
}

/** The same call whatever the tool's version and the policy: what a person's no is remembered by. */
export function callDigest(
  key: Uint8Array,
  { actor, action, input }: Pick<BoundCall, 'actor' | 'action' | 'input'>,
): string {
  return keyedDigest(key, { kind: 'wish', actor: partsOf(actor), action, ...argumentsOf(input) });
}

function partsOf({ kind, id, onBehalfOf }: Actor): Record<string, string> {
  return { kind, id, ...(onBehalfOf !== undefined && { on_behalf_of: onBehalfOf }) };
}

/** No argument at all is not null; and a date, which canonical JSON writes as a text, is not that text. */
function argumentsOf(input: unknown): Record<string, unknown> {
  const dates = datesIn(input, '');
  return { ...(input !== undefined && { input }), ...(dates.length > 0 && { dates }) };
}

function datesIn(value: unknown, path: string): string[] {
  if (value instanceof Date) return [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value)
    .flatMap(([key, item]) =>
      datesIn(item, `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`),
    )
    .toSorted();
}

/** HMAC-SHA-256, in hex, of the canonical JSON. */
export function keyedDigest(key: Uint8Array, value: object): string {
  let text: string | undefined;
  try {
    text = canonicalize(value);
  } catch (error) {
    throw new ApprovalRequestError('The arguments have no canonical JSON (RFC 8785).', {
      cause: error,
    });
  }
  if (text === undefined) throw new ApprovalRequestError('The call has no canonical JSON.');
  return createHmac('sha256', key).update(text).digest('hex');
}
