import type { z } from 'zod';
import type { MployerContact } from './client.ts';
import type { MployerFilters } from './filters.ts';
import { matchingPeople } from './people.ts';

export type Filters = z.output<typeof MployerFilters>;

/** How many different searches are remembered, at about 10 people each. */
const REMEMBERED_SEARCHES = 10_000;

/** The people whom searches have found. */
export class Directory {
  readonly #seed: number | string;
  /** By the filters as JSON. The same filters find the same people, remembered or not. */
  readonly #searches = new Map<string, { filters: Filters; people: readonly MployerContact[] }>();
  readonly #people = new Map<string, MployerContact>();

  constructor(seed: number | string) {
    this.#seed = seed;
  }

  find(filters: Filters): readonly MployerContact[] {
    const key = canonical(filters);
    const known = this.#searches.get(key);
    if (known) return known.people;
    this.#forgetOldest();
    const people = matchingPeople(filters, key, this.#seed);
    this.#searches.set(key, { filters, people });
    for (const person of people) this.#people.set(person.id, person);
    return people;
  }

  person(id: string): MployerContact | undefined {
    return this.#people.get(id);
  }

  /** What has been searched for, oldest first; to search for it again makes it known again. */
  searched(): readonly Filters[] {
    return Array.from(this.#searches.values(), ({ filters }) => filters);
  }

  clear(): void {
    this.#searches.clear();
    this.#people.clear();
  }

  #forgetOldest(): void {
    if (this.#searches.size < REMEMBERED_SEARCHES) return;
    for (const [key, { people }] of this.#searches) {
      this.#searches.delete(key);
      for (const { id } of people) this.#people.delete(id);
      return;
    }
  }
}

/** The same text for the same filters, in whatever order they were written. */
export function canonical(filters: Filters): string {
  const set = Object.entries(filters).filter(([, value]) => value !== undefined);
  return JSON.stringify(set.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
