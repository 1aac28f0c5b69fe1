import { redactText } from '@buddy/core';
import type { Policy, PolicyDecision } from '../policy/decision.ts';

/**
 * Facts for the log: of the texts in arguments, only those that the policy itself has; of others, how long they are. They
 * may be anything that somebody wrote, a prompt too.
 */
export function factsToKeep(
  facts: PolicyDecision['facts'],
  policy: Pick<Policy, 'holds'>,
): PolicyDecision['facts'] {
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => {
      const isText = name.startsWith('input.') && typeof value === 'string';
      if (!isText || BARE_MARKER.test(value) || policy.holds(value)) return [name, value];
      return [name, `[text of ${value.length} characters]`];
    }),
  );
}

const BARE_MARKER = /^\[(?:absent|list|object|unreadable|not a number|not recorded|redacted)\]$/;

/** A code is a name. Anything else that an error calls its code may be text from anywhere, and stays out of the log. */
export function codeToKeep(code: string): string {
  const isCode = /^[A-Z][A-Z0-9_]{0,63}$/.test(code) && redactText(code) === code;
  return isCode ? code : 'UNKNOWN';
}
