import { JournalExpectationError } from './errors.ts';
import { expectCalls, type JournalExpectation } from './expectation.ts';
import { type Har, harOf } from './har.ts';
import { ndjsonOf } from './ndjson.ts';
import {
  type CallRecord,
  entryOf,
  type JournalEntry,
  lengthOf,
  withoutLongBodies,
} from './entry.ts';

/** The latest calls, oldest first, in the order in which they ended. */
export interface Journal {
  entries(operation?: string): readonly JournalEntry[];
  /** How many calls there were since the last reset, forgotten ones included. */
  readonly total: number;
  /**
   * What is expected of an operation's calls, as far as they are kept.
   * @throws {JournalExpectationError} When there is no such operation.
   * @example
   * journal.expect('contacts.create').times(1).withBody({ email: 'ada@example.com' });
   */
  expect(operation: string): JournalExpectation;
  /** One line of JSON for each call, in `snake_case`. */
  toNdjson(): string;
  /** An HTTP archive (HAR 1.2), for whatever can show one. */
  toHar(): Har;
  /** Forgets them all. */
  clear(): void;
}

/** However many calls are kept, no more than these together. */
const MOST_CHARACTERS = 64 * 2 ** 20;

/** Keeps the latest `size` calls; fewer, when their bodies are long. */
export class BoundedJournal implements Journal {
  readonly #size: number;
  readonly #operations: readonly string[];
  #records: CallRecord[] = [];
  /** Where the oldest is; what lies before it is forgotten. */
  #oldest = 0;
  #characters = 0;
  #total = 0;
  /** What was shown once is not redacted again. */
  readonly #shown = new WeakMap<CallRecord, JournalEntry>();

  /** @param operations Those that there are. */
  constructor(size: number, operations: readonly string[]) {
    this.#size = size;
    this.#operations = operations;
  }

  get total(): number {
    return this.#total;
  }

  add(record: CallRecord): void {
    this.#total += 1;
    const kept = withoutLongBodies(record);
    this.#records.push(kept);
    this.#characters += lengthOf(kept);
    while (this.#count() > this.#size || (this.#characters > MOST_CHARACTERS && this.#count() > 0))
      this.#forgetOldest();
  }

  entries(operation?: string): readonly JournalEntry[] {
    const kept = this.#records.slice(this.#oldest);
    const asked =
      operation === undefined ? kept : kept.filter((record) => record.operation === operation);
    return asked.map((record) => this.#show(record));
  }

  expect(operation: string): JournalExpectation {
    if (!this.#operations.includes(operation)) {
      throw new JournalExpectationError(
        `There is no operation ${operation}; there are ${this.#operations.join(', ')}`,
      );
    }
    const all = this.entries();
    const asked = all.filter((entry) => entry.operation === operation);
    return expectCalls(operation, asked, all);
  }

  toNdjson(): string {
    return ndjsonOf(this.entries());
  }

  toHar(): Har {
    return harOf(this.entries());
  }

  clear(): void {
    this.#records = [];
    this.#oldest = 0;
    this.#characters = 0;
    this.#total = 0;
  }

  #count(): number {
    return this.#records.length - this.#oldest;
  }

  #forgetOldest(): void {
    const oldest = this.#records[this.#oldest];
    if (oldest !== undefined) this.#characters -= lengthOf(oldest);
    this.#oldest += 1;
    // Moved up only now and then, so that forgetting costs the same however many are kept.
    if (this.#oldest <= this.#size) return;
    this.#records = this.#records.slice(this.#oldest);
    this.#oldest = 0;
  }

  #show(record: CallRecord): JournalEntry {
    const known = this.#shown.get(record);
    if (known !== undefined) return known;
    const entry = entryOf(record);
    this.#shown.set(record, entry);
    return entry;
  }
}
