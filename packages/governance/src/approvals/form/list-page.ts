import type { Approval } from '../approval.ts';
import type { ApprovalPage } from '../approvals.ts';
import { type Markup, markup } from './markup.ts';
import { stateWord } from './state-words.ts';
import { relativeTime } from './times.ts';
import { strangeText } from './untrusted-text.ts';

export interface ListPageParts {
  base: string;
  page: ApprovalPage;
  show: 'waiting' | 'all';
  now: number;
}

/** The requests, the newest first. */
export function listPage({ base, page: { approvals, next }, show, now }: ListPageParts): Markup {
  return markup`<h1>Requests for approval</h1>
<nav aria-label="Which requests">
<ul class="tabs">
<li><a href="${base}"${show === 'waiting' && CURRENT}>Waiting</a></li>
<li><a href="${base}?show=all"${show === 'all' && CURRENT}>All</a></li>
</ul>
</nav>
${
  approvals.length === 0
    ? markup`<p>${show === 'waiting' ? 'Nothing waits for a decision.' : 'Nothing was ever asked for.'}</p>`
    : markup`<ul class="requests">
${approvals.map((approval) => listed(approval, base, now))}</ul>`
}
${next !== null && markup`<p><a href="${base}?show=${show}&amp;after=${next}">Older requests</a></p>`}`;
}

const CURRENT = markup` aria-current="page"`;

function listed(approval: Approval, base: string, now: number): Markup {
  const { id, action, actor, tier, state, filedAt, expiresAt } = approval;
  return markup`<li>
<a href="${base}/${encodeURIComponent(id)}">${strangeText(action, 200)}</a>
<p class="soft"><span class="badge ${state}">${stateWord(state)}</span>
<span>for ${strangeText(actor.id, 100)}</span> <span>tier ${tier}</span> <span>asked ${relativeTime(filedAt, now)}</span>${
    state === 'pending' && markup` <span>expires ${relativeTime(expiresAt, now)}</span>`
  }</p>
</li>
`;
}
