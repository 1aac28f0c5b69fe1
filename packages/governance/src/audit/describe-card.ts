import type { CommandResult } from '../policy/commands.ts';
import type { CardDecision, GovernanceCard } from './card.ts';

/** `buddy-governance card`: the card in words, and on the wire. */
export function describeCard(card: GovernanceCard): CommandResult {
  const { pendingApprovals, violations24h, tiers, decisions } = card;
  const byTier = ([1, 2, 3, 4] as const).map((tier) => `${tiers[tier]} of tier ${tier}`);
  const lines = [
    `waiting     ${pendingApprovals} for a person`,
    `denied      ${violations24h} within 24 hours`,
    `decisions   ${byTier.join(', ')}`,
    ...(decisions.length === 0 ? [] : ['the last, the newest first', ...decisions.map(lineOf)]),
  ];
  return {
    text: `${lines.join('\n')}\n`,
    json: {
      pending_approvals: pendingApprovals,
      violations_24h: violations24h,
      tiers,
      decisions: decisions.map(recordOf),
    },
    exitCode: 0,
  };
}

function lineOf({ at, decision, action, tier, actor, rule, reasonCode }: CardDecision): string {
  const when = new Date(at).toISOString();
  return `  ${when}  ${decision.padEnd(7)}  ${action}  tier ${tier}  ${actor.kind} ${actor.id}  rule ${rule}  ${reasonCode}`;
}

function recordOf({ at, actor, reasonCode, ...rest }: CardDecision) {
  const { kind, id, onBehalfOf } = actor;
  return {
    ...rest,
    at: new Date(at).toISOString(),
    actor: { kind, id, ...(onBehalfOf !== undefined && { on_behalf_of: onBehalfOf }) },
    reason_code: reasonCode,
  };
}
