import { DOT, isAlphanumeric, isWordOrDot, skip } from './characters.ts';
import type { Span } from './span.ts';

/** Shorter words hold no key: the shortest known one, AWS's, has 20 characters. */
const SHORTEST_KEY = 20;

/** How the keys of well-known providers start. */
const PREFIXES = `
  sk- sk_live_ sk_test_ rk_live_ rk_test_ whsec_ xai- gsk_ hf_ r8_
  ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- npm_ pypi- dckr_pat_
  AKIA ASIA AIza GOCSPX- ATATT PMAK- dop_v1_ doo_v1_ sbp_ tskey-
  xoxa- xoxb- xoxc- xoxd- xoxe- xoxo- xoxp- xoxr- xoxs- xapp-
  pit- shpat_ shpss_ shpca_ shppa_ lin_api_ glsa_ pat-na1- pat-eu1-
`
  .trim()
  .split(/\s+/);

const PREFIXES_BY_FIRST = Map.groupBy(PREFIXES, (prefix) => prefix.charCodeAt(0));

/** Keys whose prefix ends in a dot, and so in a word of its own. */
const DOTTED_PREFIXES = new Set(['ya29', 'SG', 'hvs', 'hvb']);

/** A key whose prefix is the whole word from `start` to `end`, and a dot. */
export function findDottedKey(text: string, start: number, end: number): Span | undefined {
  const length = end - start;
  if (length < 2 || length > 4 || text.charCodeAt(end) !== DOT) return undefined;
  if (!DOTTED_PREFIXES.has(text.slice(start, end))) return undefined;
  const keyEnd = skip(text, end, isWordOrDot);
  return keyEnd - start >= SHORTEST_KEY ? { label: 'api-key', start, end: keyEnd } : undefined;
}

/** A key of a known provider in the word from `start` to `end`. */
export function findKnownKey(text: string, start: number, end: number): Span | undefined {
  // A key may hang on to another word: `backup_ghp_…`.
  for (let at = start; end - at >= SHORTEST_KEY; at += 1) {
    const isStart = at === start || !isAlphanumeric(text, at - 1);
    if (!isStart) continue;
    const prefixes = PREFIXES_BY_FIRST.get(text.charCodeAt(at));
    if (prefixes?.some((prefix) => text.startsWith(prefix, at))) {
      return { label: 'api-key', start: at, end };
    }
  }
  return undefined;
}
