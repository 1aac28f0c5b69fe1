/** Far deeper than anything that providers take; what reads and writes JSON by recursion comes to no harm. */
export const DEEPEST_JSON = 100;

/** Whether more than `most` lists and objects lie in each other. It does not recurse itself. */
export function isDeeperThan(most: number, value: unknown): boolean {
  let level = [value].filter(isNest);
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > most) return true;
    level = level.flatMap((nest) => Object.values(nest).filter(isNest));
  }
  return false;
}

function isNest(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
