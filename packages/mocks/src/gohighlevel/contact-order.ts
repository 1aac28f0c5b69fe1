import type { Entry } from './contact-book.ts';
import { searchableField } from './searchable-fields.ts';

export interface SortKey {
  readonly field: string;
  readonly direction: 'asc' | 'desc';
}

type KeyValue = string | number | null;

/** An entry with what it is sorted by, read once. */
export interface Keyed {
  readonly entry: Entry;
  readonly keys: readonly KeyValue[];
}

/** Where to go on: behind the entry with these keys in this place. */
export interface Cursor {
  readonly keys: readonly KeyValue[];
  readonly order: number;
}

/** By the keys one after the other, then by age. What has no value comes last, whichever the direction. */
export class ContactOrder {
  readonly #readers: readonly ((entry: Entry) => KeyValue)[];
  readonly #signs: readonly (1 | -1)[];

  constructor(sort: readonly SortKey[]) {
    this.#signs = sort.map(({ direction }) => (direction === 'asc' ? 1 : -1));
    this.#readers = sort.map(({ field }) => {
      const read = searchableField(field)?.read;
      return ({ contact }) => {
        const value = read?.(contact);
        if (typeof value === 'object') return value.join(',');
        return typeof value === 'boolean' ? Number(value) : (value ?? null);
      };
    });
  }

  keyed(entry: Entry): Keyed {
    return { entry, keys: this.#readers.map((read) => read(entry)) };
  }

  compare(a: Keyed, b: Keyed): number {
    return this.#compareKeys(a.keys, b.keys) || this.#bySign(a.entry.order - b.entry.order);
  }

  isBehind({ entry, keys }: Keyed, cursor: Cursor): boolean {
    return (this.#compareKeys(keys, cursor.keys) || this.#bySign(entry.order - cursor.order)) > 0;
  }

  /** The first `count` of them, in order. Faster than to sort them all, where few are wanted of many. */
  first(entries: readonly Keyed[], count: number): readonly Keyed[] {
    if (count * 4 >= entries.length) return this.#sorted(entries).slice(0, count);
    const best: Keyed[] = [];
    for (const entry of entries) {
      const worst = best.at(-1);
      if (best.length === count && worst && this.compare(entry, worst) >= 0) continue;
      best.splice(this.#placeIn(best, entry), 0, entry);
      if (best.length > count) best.pop();
    }
    return best;
  }

  #sorted(entries: readonly Keyed[]): readonly Keyed[] {
    return entries.toSorted((a, b) => this.compare(a, b));
  }

  #placeIn(sorted: readonly Keyed[], entry: Keyed): number {
    let from = 0;
    let to = sorted.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const other = sorted[middle];
      if (other && this.compare(other, entry) <= 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  #compareKeys(a: readonly KeyValue[], b: readonly KeyValue[]): number {
    for (const [index, sign] of this.#signs.entries()) {
      const left = a[index] ?? null;
      const right = b[index] ?? null;
      if (left === right) continue;
      if (left === null) return 1;
      if (right === null) return -1;
      return left < right ? -sign : sign;
    }
    return 0;
  }

  #bySign(difference: number): number {
    return this.#signs[0] === -1 ? -difference : difference;
  }
}
