/** Beyond these, a hint would cost more than it helps: the work grows with the square of the one and with the other. */
const MAX_NAME = 64;
const MAX_CANDIDATES = 1_000;

/**
 * The candidate that is the fewest edits away (Levenshtein, with case counting half), or undefined when none is close:
 * one edit for short names, a third of the length for long ones.
 * @example
 * didYouMean('lenght', ['length', 'width']); // 'length'
 */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > MAX_NAME) return undefined;
  let left = MAX_CANDIDATES;
  const limit = Math.min(3, Math.max(1, Math.floor(name.length / 3)));
  let best: string | undefined;
  let bestDistance = limit + 0.5;
  for (const candidate of candidates) {
    if (candidate === name || Math.abs(candidate.length - name.length) > limit) continue;
    left -= 1;
    if (left < 0) break;
    const sameButCase = candidate.toLowerCase() === name.toLowerCase();
    const distance = sameButCase ? 0.5 : editDistance(name, candidate);
    if (distance >= bestDistance || distance >= Math.max(name.length, candidate.length)) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

/** Optimal string alignment: Levenshtein with a swap of two neighbours as one edit. */
function editDistance(left: string, right: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const same = left[i - 1] === right[j - 1];
      const replace = at(previous, j - 1) + (same ? 0 : 1);
      const insertOrDelete = Math.min(at(previous, j), at(current, j - 1)) + 1;
      const swapped =
        i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1];
      const swap = swapped ? at(beforePrevious, j - 2) + 1 : Infinity;
      current.push(Math.min(replace, insertOrDelete, swap));
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, right.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
