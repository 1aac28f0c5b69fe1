/*
 * Two kinds of patterns, neither of them a regular expression: both are matched in time proportional to pattern times text,
 * whatever the pattern.
 */

/**
 * Whether an action fits a pattern. Segments are parted by dots; `*` stands for any characters within one segment (so a
 * whole one, too), `**` for one or more whole segments. Capital and small letters differ.
 * @example
 * matchesAction('crm.*.read', 'crm.contacts.read'); // true
 * matchesAction('mail.**', 'mail.drafts.create'); // true; but not `mail` itself
 */
export function matchesAction(pattern: string, action: string): boolean {
  if (!pattern.includes('*')) return pattern === action;
  return matchesSequence(segmentsOf(pattern), action.split('.'), matchesText);
}

/** Whether a text fits a pattern in which `*` stands for any characters, also none. */
export function matchesText(pattern: string, text: string): boolean {
  if (!pattern.includes('*')) return pattern === text;
  const parts = Array.from(pattern, (character) => (character === '*' ? REST : character));
  return matchesSequence(parts, Array.from(text), (a, b) => a === b);
}

/**
 * Whether every action that fits `inner` fits `outer`. False also where that is only hard to tell.
 * @example
 * includesActions('crm.**', 'crm.*.read'); // true
 */
export function includesActions(outer: string, inner: string): boolean {
  if (outer === inner) return true;
  // The wildcards of `inner` are read as characters that only a wildcard of `outer` can take.
  return matchesSequence(segmentsOf(outer), segmentsOf(inner), (ours, theirs) => {
    if (theirs === REST) return false;
    return theirs === ANY ? ours === ANY : ours === ANY || matchesText(ours, theirs);
  });
}

/** Whether every text that fits `inner` fits `outer`. False also where that is only hard to tell. */
export function includesTexts(outer: string, inner: string): boolean {
  return outer === inner || matchesText(outer, inner);
}

const ANY = '*';
/** Any number of items, also none. No segment and no character is this. */
const REST = '**';

function segmentsOf(pattern: string): string[] {
  return pattern.split('.').flatMap((segment) => (segment === REST ? [ANY, REST] : [segment]));
}

/** Greedy, with one way back: to the last `REST`. Right for sequences, since an earlier one can leave all to the later. */
function matchesSequence(
  pattern: readonly string[],
  items: readonly string[],
  fits: (part: string, item: string) => boolean,
): boolean {
  let p = 0;
  let i = 0;
  let resumeP = -1;
  let resumeI = 0;
  while (i < items.length) {
    const part = pattern[p];
    const item = items[i];
    if (part === REST) {
      resumeP = p += 1;
      resumeI = i;
    } else if (part !== undefined && item !== undefined && fits(part, item)) {
      p += 1;
      i += 1;
    } else if (resumeP >= 0) {
      p = resumeP;
      i = resumeI += 1;
    } else return false;
  }
  while (pattern[p] === REST) p += 1;
  return p === pattern.length;
}
