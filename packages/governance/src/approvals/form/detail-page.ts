import { createRedactor } from '@buddy/core';
import { hazardsOf, type TextHazard } from '../../untrusted/hazards.ts';
import type { Approval, ApprovalContent, ApprovalStep, Vote } from '../approval.ts';
import type { VoteObstacle } from '../electorate.ts';
import { type ArgumentRow, argumentRows, changedArguments } from './argument-rows.ts';
import { type Markup, markup } from './markup.ts';
import { eventWord, obstacleWords, stateWord, viaWord } from './state-words.ts';
import { relativeTime, timeOf } from './times.ts';
import { strangeLines, strangeText } from './untrusted-text.ts';

export interface DetailPageParts {
  base: string;
  approval: Approval;
  /** `hidden`: this person may not see it; `unreadable`: nobody can. Undefined: it is erased. */
  content: ApprovalContent | 'hidden' | 'unreadable' | undefined;
  steps: readonly ApprovalStep[];
  /** The proof that goes with a vote; absent when this person has none. */
  token: string | undefined;
  obstacle: VoteObstacle | undefined;
  now: number;
}

const TIERS = {
  1: 'only looks at something',
  2: 'changes something that can be changed back',
  3: 'reaches outside, is costly, or hard to undo',
} as const;

/** All that a person needs to decide, in the order in which one reads. */
export function detailPage(parts: DetailPageParts): Markup {
  const { approval, content, steps, now, base } = parts;
  const { action, actor, state, expiresAt, demand } = approval;
  return markup`<h1><code>${strangeText(action, 300)}</code></h1>
<p class="lead"><span class="badge ${state}">${stateWord(state)}</span>
${state === 'pending' && markup`<span>${agreementWords(approval)}; expires ${relativeTime(expiresAt, now)}</span>`}</p>
${argumentsSection(content)}
${typeof content === 'object' && content.replaces && changesSection(content.replaces, content.input, base)}
<section aria-labelledby="why">
<h2 id="why">Why it is asked for</h2>
${reasonOf(content)}
</section>
<section aria-labelledby="facts">
<h2 id="facts">What is known of it</h2>
<dl>
<dt>Asked by</dt><dd>${actor.kind} <code>${strangeText(actor.id, 300)}</code>${
    actor.onBehalfOf !== undefined &&
    markup`, for <code>${strangeText(actor.onBehalfOf, 300)}</code>`
  }</dd>
<dt>Tier</dt><dd>${approval.tier}: ${TIERS[approval.tier]}</dd>
<dt>Rule that asks</dt><dd><code>${strangeText(approval.rule, 200)}</code></dd>
<dt>Who decides</dt><dd>${peopleWords(demand.quorum)} with the role ${[...demand.from, ...approval.escalatedTo].join(' or ')}</dd>
${approval.runId !== null && markup`<dt>Run</dt><dd><code>${strangeText(approval.runId, 300)}</code></dd>`}
${approval.taskId !== null && markup`<dt>Task</dt><dd><code>${strangeText(approval.taskId, 300)}</code></dd>`}
<dt>Asked</dt><dd>${timeOf(approval.filedAt)}</dd>
<dt>${approval.endedAt === null ? 'Expires' : 'Ended'}</dt><dd>${timeOf(approval.endedAt ?? expiresAt)}</dd>
<dt>Request</dt><dd><code>${approval.id}</code></dd>
</dl>
</section>
${decisionSection(parts)}
<section aria-labelledby="history">
<h2 id="history">What has happened</h2>
<ol>
${steps.map(stepLine)}</ol>
${approval.votes.length > 0 && markup`<h3>Votes</h3><ul>${approval.votes.map(voteLine)}</ul>`}
</section>
<p><a href="${base}">All requests that wait</a></p>`;
}

function agreementWords({ demand: { quorum }, votes }: Approval): string {
  const agreed = votes.filter(({ vote }) => vote === 'approve').length;
  return `${agreed} of ${peopleWords(quorum)} ${quorum === 1 ? 'has' : 'have'} agreed`;
}

function peopleWords(count: number): string {
  return count === 1 ? '1 person' : `${count} people`;
}

function argumentsSection(content: DetailPageParts['content']): Markup {
  return markup`<section aria-labelledby="what">
<h2 id="what">What it would be done with</h2>
${argumentsOf(content)}
</section>`;
}

function argumentsOf(content: DetailPageParts['content']): Markup {
  if (content === undefined) return markup`<p>Erased: this request has ended.</p>`;
  if (content === 'hidden') return markup`<p>Your role does not see arguments.</p>`;
  if (content === 'unreadable') {
    return markup`<p class="warning">It cannot be read: it was sealed with another secret, or changed in the database. Cancel this request, and have it asked for again.</p>`;
  }
  if (content.input === undefined) return markup`<p>Nothing: it takes no arguments.</p>`;
  const { rows, leftOut } = argumentRows(withoutSecrets(content.input));
  return markup`<table>
<thead><tr><th scope="col">Argument</th><th scope="col">Value</th></tr></thead>
<tbody>
${rows.map(
  (
    row,
  ) => markup`<tr><th scope="row"><code>${pathOf(row.path)}</code></th><td>${valueOf(row)}</td></tr>
`,
)}</tbody>
</table>
${leftOut > 0 && markup`<p class="warning"><strong>${leftOut} more values are not shown.</strong> If you cannot judge it without them, deny it.</p>`}`;
}

/** Addresses and long ids are what one judges by; passwords and keys are nobody's business. */
const { redact: withoutSecrets } = createRedactor({ ipAddresses: false, genericKeys: false });

function pathOf(path: string): Markup {
  return path === '' ? markup`(all of it)` : strangeText(path, 300);
}

function valueOf({ kind, value }: ArgumentRow): Markup {
  const hazards = kind === 'text' ? hazardsOf(value) : [];
  const shown =
    value === '' ? undefined : markup`<span class="value">${strangeLines(value)}</span>`;
  const kindShown = kind === 'text' && value === '' ? 'empty text' : kind;
  return markup`${shown} <span class="kind">${kindShown}</span>${hazards.map(
    (hazard) => markup`<span class="notes">${HAZARDS[hazard]}</span>`,
  )}`;
}

const HAZARDS: Readonly<Record<TextHazard, string>> = {
  hidden_characters: 'Holds hidden characters, shown as marks',
  path_traversal: 'Leads out of a folder (..)',
  markup: 'Holds markup, shown as text',
};

function changesSection(
  { approvalId, input: before }: NonNullable<ApprovalContent['replaces']>,
  after: unknown,
  base: string,
): Markup | false {
  const changes = changedArguments(withoutSecrets(before), withoutSecrets(after));
  if (changes.length === 0) return false;
  return markup`<section aria-labelledby="changed">
<h2 id="changed">Changed since it was asked for before</h2>
<p class="soft">This takes the place of <a href="${base}/${encodeURIComponent(approvalId)}">an earlier request</a>.</p>
<table>
<thead><tr><th scope="col">Argument</th><th scope="col">Before</th><th scope="col">Now</th></tr></thead>
<tbody>
${changes.slice(0, MAX_CHANGES).map(
  (
    change,
  ) => markup`<tr><th scope="row"><code>${pathOf(change.path)}</code></th><td data-label="Before: ">${sideOf(change.before)}</td><td data-label="Now: ">${sideOf(change.after)}</td></tr>
`,
)}</tbody>
</table>
${changes.length > MAX_CHANGES && markup`<p class="warning">${changes.length - MAX_CHANGES} more changes are not shown.</p>`}
</section>`;
}

const MAX_CHANGES = 100;

function sideOf(row: ArgumentRow | undefined): Markup {
  return row ? valueOf(row) : markup`<span class="kind">not there</span>`;
}

function reasonOf(content: DetailPageParts['content']): Markup {
  if (typeof content !== 'object') return markup`<p class="soft">Not shown.</p>`;
  if (content.rationale === null) return markup`<p>No reason was given.</p>`;
  return markup`<blockquote>${strangeText(content.rationale)}</blockquote>
<p class="soft">In the words of the one who asks. Nobody has checked them.</p>`;
}

function decisionSection({
  approval,
  token,
  obstacle,
  base,
  content,
}: DetailPageParts): Markup | false {
  const { state, id } = approval;
  if (state !== 'pending' && state !== 'approved') return false;
  const canApprove = state === 'pending' && typeof content === 'object';
  return markup`<section aria-labelledby="decide">
<h2 id="decide">${state === 'pending' ? 'Decide' : 'Take it back'}</h2>
${
  token === undefined || obstacle !== undefined
    ? markup`<p>${obstacleWords(obstacle ?? 'permission')}</p>`
    : markup`<form method="post" action="${base}/${encodeURIComponent(id)}">
<input type="hidden" name="token" value="${token}">
<label for="comment">Comment</label>
<textarea id="comment" name="comment" rows="2" maxlength="500" aria-describedby="comment-hint"></textarea>
<p class="soft" id="comment-hint">You may leave it empty. Others see it, and it is kept.</p>
<div class="actions">
<button type="submit" name="vote" value="deny">Deny</button>
${canApprove && markup`<button type="submit" name="vote" value="approve">Approve</button>`}
</div>
<p class="soft">${
        canApprove
          ? 'Approving lets just this be done, once. One no is enough to deny it.'
          : 'Denying it keeps it from being done, if it is not under way already.'
      }</p>
</form>`
}
</section>`;
}

function stepLine({ event, by, via, at }: ApprovalStep): Markup {
  return markup`<li>${timeOf(at)}: ${eventWord(event)}, ${by.kind} ${strangeText(by.id, 100)}${
    via !== null && markup`, ${viaWord(via)}`
  }</li>
`;
}

function voteLine({ by, vote, comment }: Vote): Markup {
  return markup`<li>${strangeText(by.id, 100)} (${by.role}) ${vote === 'approve' ? 'agreed' : 'said no'}${
    comment !== null && markup`: ${strangeText(comment, 600)}`
  }</li>`;
}
