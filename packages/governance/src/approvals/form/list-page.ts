import type { Approval } from '../approval.ts';
import type { ApprovalGroup } from '../approval-store.ts';
import type { ApprovalPage } from '../approvals.ts';
import { type Markup, markup } from './markup.ts';
import { stateWord } from './state-words.ts';
import { relativeTime } from './times.ts';
import { strangeText } from './untrusted-text.ts';

export interface ListPageParts {
  base: string;
  page: ApprovalPage;
  show: 'waiting' | 'all';
  /** The pattern that actions are to fit; empty for all. */
  action: string;
  /** Of all that is shown without the pattern. */
  groups: readonly ApprovalGroup[];
  isFirst: boolean;
  now: number;
}

/** The requests, the newest first. */
export function listPage(parts: ListPageParts): Markup {
  const { base, page, show, action, isFirst, now } = parts;
  const { approvals, next } = page;
  return markup`<h1>Requests for approval</h1>
<nav aria-label="Which requests">
<ul class="tabs">
<li><a href="${base}"${show === 'waiting' && CURRENT}>Waiting</a></li>
<li><a href="${base}?show=all"${show === 'all' && CURRENT}>All</a></li>
</ul>
</nav>
${filterSection(parts)}
${
  approvals.length === 0
    ? markup`<p>${emptyWords(parts)}</p>`
    : markup`<ul class="requests">
${approvals.map((approval) => listed(approval, base, now))}</ul>`
}
${!isFirst && markup`<p><a href="${address(base, { show, action })}">Newest requests</a></p>`}
${next !== null && markup`<p><a href="${address(base, { show, action, after: next })}">Older requests</a></p>`}`;
}

function emptyWords({ show, action }: ListPageParts): string {
  if (action !== '') return 'Nothing here is for such an action.';
  return show === 'waiting' ? 'Nothing waits for a decision.' : 'Nothing was ever asked for.';
}

const MAX_GROUPS = 12;

/** By a name or a pattern, and by the names that there are most of. */
function filterSection({ base, show, action, groups }: ListPageParts): Markup | false {
  const counts = new Map<string, number>();
  for (const { action: name, count } of groups) counts.set(name, (counts.get(name) ?? 0) + count);
  if (counts.size < 2 && action === '') return false;
  const most = [...counts].toSorted(([, a], [, b]) => b - a).slice(0, MAX_GROUPS);
  return markup`<form method="get" action="${base}" role="search">
${show === 'all' && markup`<input type="hidden" name="show" value="all">`}
<label for="action">Action</label>
<input id="action" name="action" value="${action}" maxlength="256" aria-describedby="action-hint">
<button type="submit">Filter</button>
<p class="soft" id="action-hint">A name, or a pattern: * stands for one part, ** for one part or more.</p>
</form>
<ul class="tabs" aria-label="Actions">
${action !== '' && markup`<li><a href="${address(base, { show, action: '' })}">Every action</a></li>`}
${most.map(
  ([name, count]) =>
    markup`<li><a href="${address(base, { show, action: name })}"${name === action && CURRENT}>${strangeText(name, 100)}</a> ${count}</li>
`,
)}</ul>`;
}

function address(
  base: string,
  { show, action, after }: Pick<ListPageParts, 'show' | 'action'> & { after?: string },
): string {
  const query = new URLSearchParams({
    ...(show === 'all' && { show }),
    ...(action !== '' && { action }),
    ...(after !== undefined && { after }),
  });
  return query.size === 0 ? base : `${base}?${query.toString()}`;
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
