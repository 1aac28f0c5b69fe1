import type { Random } from '@buddy/core';

export function choose<Item>(items: readonly Item[], draw: Random): Item {
  const item = items[Math.floor(draw() * items.length)];
  if (item === undefined) throw new RangeError('Nothing to choose from');
  return item;
}
