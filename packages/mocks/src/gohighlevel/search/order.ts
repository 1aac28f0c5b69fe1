import type { Entry } from '../contact-book.ts';
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

type Reader = (entry: Entry) => KeyValue;

/** By the keys one after the other, then by age. What has no value comes last, whichever the direction. */
export class ContactOrder {
  readonly #readers: readonly Reader[];
  readonly #signs: readonly (1 | -1)[];
  readonly #firstReader: Reader;
  readonly #firstSign: 1 | -1;

  constructor(sort: readonly SortKey[]) {
    this.#signs = sort.map(({ direction }) => (direction === 'asc' ? 1 : -1));
    this.#readers = sort.map(({ field }) => readerOf(field));
    this.#firstReader = this.#readers[0] ?? (() => null);
    this.#firstSign = this.#signs[0] ?? 1;
  }

  /** The first `count` of those behind the cursor, in order. */
  first(entries: readonly Entry[], count: number, cursor?: Cursor): readonly Keyed[] {
    const isFew = count * SELECTION_PAYS <= entries.length;
    return isFew ? this.#selected(entries, count, cursor) : this.#sorted(entries, count, cursor);
  }

  #sorted(entries: readonly Entry[], count: number, cursor: Cursor | undefined): readonly Keyed[] {
    const keyed = entries.map((entry) => this.#keyed(entry, this.#firstReader(entry)));
    const behind = cursor ? keyed.filter((one) => this.#isBehind(one, cursor)) : keyed;
    return behind.toSorted((a, b) => this.#compare(a, b)).slice(0, count);
  }

  /** Without sorting those that are not wanted: most are passed over at a look at their first key. */
  #selected(
    entries: readonly Entry[],
    count: number,
    cursor: Cursor | undefined,
  ): readonly Keyed[] {
    const best: Keyed[] = [];
    let worst: Keyed | undefined;
    for (const entry of entries) {
      const key = this.#firstReader(entry);
      if (worst && compareKeys(key, worst.keys[0] ?? null, this.#firstSign) > 0) continue;
      if (cursor && compareKeys(key, cursor.keys[0] ?? null, this.#firstSign) < 0) continue;
      const keyed = this.#keyed(entry, key);
      if (worst && this.#compare(keyed, worst) >= 0) continue;
      if (cursor && !this.#isBehind(keyed, cursor)) continue;
      best.splice(this.#placeIn(best, keyed), 0, keyed);
      if (best.length > count) best.pop();
      if (best.length === count) worst = best.at(-1);
    }
    return best;
  }

  #placeIn(sorted: readonly Keyed[], entry: Keyed): number {
    let from = 0;
    let to = sorted.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const other = sorted[middle];
      if (other && this.#compare(other, entry) <= 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  #keyed(entry: Entry, first: KeyValue): Keyed {
    if (this.#readers.length === 1) return { entry, keys: [first] };
    return { entry, keys: this.#readers.map((read) => read(entry)) };
  }

  #compare(a: Keyed, b: Keyed): number {
    return this.#compareAt(a.keys, a.entry.order, b.keys, b.entry.order);
  }

  #isBehind({ entry, keys }: Keyed, cursor: Cursor): boolean {
    return this.#compareAt(keys, entry.order, cursor.keys, cursor.order) > 0;
  }

  #compareAt(
    a: readonly KeyValue[],
    placeOfA: number,
    b: readonly KeyValue[],
    placeOfB: number,
  ): number {
    for (let index = 0; index < this.#signs.length; index += 1) {
      const compared = compareKeys(a[index] ?? null, b[index] ?? null, this.#signs[index] ?? 1);
      if (compared !== 0) return compared;
    }
    return this.#firstSign * (placeOfA - placeOfB);
  }
}

/** From this many times as many on, it is faster to select than to sort. */
const SELECTION_PAYS = 4;

function readerOf(field: string): Reader {
  const read = searchableField(field)?.read;
  return (entry) => {
    const value = read?.(entry);
    if (typeof value === 'object') return value.join(',');
    return typeof value === 'boolean' ? Number(value) : (value ?? null);
  };
}

function compareKeys(a: KeyValue, b: KeyValue, sign: 1 | -1): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return a < b ? -sign : sign;
}
