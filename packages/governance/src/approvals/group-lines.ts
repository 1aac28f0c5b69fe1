import { showUntrusted } from '../untrusted/show-untrusted.ts';
import type { ApprovalGroup } from './approval-store.ts';

const MAX_GROUPS = 50;
const MAX_CHARS = 100;

/** A line for each group, the largest first. */
export function groupLines(groups: readonly ApprovalGroup[]): string {
  const shown = groups.slice(0, MAX_GROUPS);
  const width = String(shown[0]?.count ?? 0).length;
  const lines = shown.map(({ count, action, actor, rule, tier, expiresAt }) => {
    const behalf = actor.onBehalfOf === undefined ? '' : ` for ${shownText(actor.onBehalfOf)}`;
    return (
      `  ${String(count).padStart(width)}  ${shownText(action)}  tier ${tier}  ${actor.kind} ${shownText(actor.id)}${behalf}  ` +
      `rule ${shownText(rule)}  first expires ${new Date(expiresAt).toISOString()}\n`
    );
  });
  const rest = groups.length - shown.length;
  return `${lines.join('')}${rest > 0 ? `  … and ${rest} groups more\n` : ''}`;
}

/** On the wire. */
export function groupRecord({ action, actor, rule, tier, count, expiresAt }: ApprovalGroup) {
  return {
    action,
    actor: {
      kind: actor.kind,
      id: actor.id,
      ...(actor.onBehalfOf !== undefined && { on_behalf_of: actor.onBehalfOf }),
    },
    rule,
    tier,
    count,
    first_expires_at: new Date(expiresAt).toISOString(),
  };
}

function shownText(text: string): string {
  return showUntrusted(text, { maxChars: MAX_CHARS });
}
