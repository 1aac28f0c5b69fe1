/**
 * One call that a mock has served. It holds neither what was asked nor what was answered, so no password, token or
 * address can be in it.
 */
export interface JournalEntry {
  operation: string;
  /** The how many-th call of this operation it was, from 1, in the order in which they began. */
  n: number;
  requestId: string;
  idempotencyKey?: string;
  /** Ms since the epoch, on the mock's clock. */
  startedAt: number;
  endedAt: number;
  /** `refused`: answered with an error; `aborted`: the caller no longer waited; `crashed`: a bug in the mock or its clock. */
  outcome: 'answered' | 'refused' | 'aborted' | 'crashed';
  /** The code of the error that the caller got. */
  errorCode?: string;
  /** Whether the provider did what was asked, whatever the caller was told. */
  isCarriedOut: boolean;
  /** The fault that was put in place of the answer. */
  fault?: { kind: 'status'; status: number };
}

/** The latest calls, oldest first, in the order in which they ended. */
export interface Journal {
  entries(operation?: string): readonly JournalEntry[];
  /** How many calls there were since the last reset, forgotten ones included. */
  readonly total: number;
}

/** Keeps the latest `size` entries. */
export class BoundedJournal implements Journal {
  readonly #size: number;
  #ring: JournalEntry[] = [];
  #total = 0;

  constructor(size: number) {
    this.#size = size;
  }

  get total(): number {
    return this.#total;
  }

  add(entry: JournalEntry): void {
    if (this.#size > 0) this.#ring[this.#total % this.#size] = Object.freeze(entry);
    this.#total += 1;
  }

  entries(operation?: string): readonly JournalEntry[] {
    const oldest = this.#ring.length < this.#size ? 0 : this.#total % this.#size;
    const all = [...this.#ring.slice(oldest), ...this.#ring.slice(0, oldest)];
    return operation === undefined ? all : all.filter((entry) => entry.operation === operation);
  }

  clear(): void {
    this.#ring = [];
    this.#total = 0;
  }
}
