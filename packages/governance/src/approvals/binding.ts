import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { ApprovalClaim } from '../gate/ports.ts';

/**
 * What an approval holds for, and nothing else: SHA-256, in hex, of the canonical JSON (RFC 8785) of actor, action,
 * arguments, the tool's version and the policy's. Each date is its ISO text, and where dates are is part of it.
 */
export function bindingDigest(claim: ApprovalClaim): string {
  const { toolDigest, policyDigest } = claim;
  return digestOf({ ...actOf(claim), tool_digest: toolDigest, policy_digest: policyDigest });
}

/** What is to be done, whatever version of tool and policy: what a no is remembered by. */
export function actDigest(claim: ApprovalClaim): string {
  return digestOf(actOf(claim));
}

function actOf({ actor, action, input }: ApprovalClaim) {
  const dates = pathsOfDates(input);
  return {
    actor: { kind: actor.kind, id: actor.id, on_behalf_of: actor.onBehalfOf ?? null },
    action,
    has_arguments: input !== undefined,
    arguments: input ?? null,
    ...(dates.length > 0 && { dates }),
  };
}

function digestOf(value: unknown): string {
  return hash('sha256', canonicalize(value) ?? 'null');
}

/** In canonical JSON a date looks like a text, and a tool may treat them differently. */
function pathsOfDates(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [];
  if (value instanceof Date) return [path];
  return Object.entries(value)
    .flatMap(([key, item]) => pathsOfDates(item, `${path}/${key.replaceAll('/', '~1')}`))
    .toSorted();
}
