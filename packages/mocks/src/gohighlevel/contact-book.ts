import { AddressIndex } from './address-index.ts';
import type { CreateRequest, UpdateRequest } from './requests.ts';
import type { StoredContact } from './stored-contact.ts';

/** A contact in its place, which never changes: the later it was created, the higher. */
export interface Entry {
  readonly order: number;
  readonly contact: StoredContact;
  /** Ms since the epoch, read once, for searches look at those of everybody. */
  readonly addedAt: number;
  readonly updatedAt: number;
}

function entryOf(order: number, contact: StoredContact): Entry {
  const addedAt = Date.parse(contact.dateAdded);
  return { order, contact, addedAt, updatedAt: Date.parse(contact.dateUpdated) };
}

/** A write, and what was there before it. */
interface Write {
  readonly at: number;
  readonly order: number;
  readonly id: string;
  readonly before: StoredContact | undefined;
}

/** How many deleted contacts a `searchAfter` can still point at. */
const REMEMBERED_PLACES = 10_000;

export interface ContactBookState {
  readonly nextOrder: number;
  readonly entries: readonly Pick<Entry, 'order' | 'contact'>[];
  readonly writes: readonly Write[];
  /** Where those stood that were deleted lately, by id; the latest last. */
  readonly placesOfDeleted: readonly (readonly [id: string, order: number])[];
}

/**
 * A location's contacts, and the way back to what they were a moment ago: for a search index that lags behind and for
 * replicas that miss the latest write. Contacts are replaced, never changed.
 */
export class ContactBook {
  readonly #lagMs: number;
  #nextOrder = 0;
  readonly #entries = new Map<string, Entry>();
  readonly #byEmail = new AddressIndex();
  readonly #byPhone = new AddressIndex();
  /** Those that may still have to be hidden, oldest first; the latest stays. */
  #writes: Write[] = [];
  readonly #placesOfDeleted = new Map<string, number>();

  constructor(lagMs: number) {
    this.#lagMs = lagMs;
  }

  get size(): number {
    return this.#entries.size;
  }

  contacts(): readonly StoredContact[] {
    return Array.from(this.#entries.values(), ({ contact }) => contact);
  }

  get(id: string, isStale = false): StoredContact | undefined {
    const latest = this.#writes.at(-1);
    if (isStale && latest?.id === id) return latest.before;
    return this.#entries.get(id)?.contact;
  }

  has(id: string): boolean {
    return this.#entries.has(id);
  }

  /** The one that has had this address longest; with `isStale`, as it was before the latest write. */
  firstWith(field: 'email' | 'phone', address: string, isStale = false): StoredContact | undefined {
    if (isStale) {
      const former = this.#without((_write, isLatest) => isLatest);
      return former.find(({ contact }) => contact[field] === address)?.contact;
    }
    const id = (field === 'email' ? this.#byEmail : this.#byPhone).first(address);
    return id === undefined ? undefined : this.get(id);
  }

  /** Adds it, or puts it in the place of the one with its id. */
  put(contact: StoredContact, at: number): StoredContact {
    Object.freeze(contact);
    const previous = this.#entries.get(contact.id);
    const order = previous?.order ?? this.#nextOrder++;
    const before = previous?.contact;
    this.#entries.set(contact.id, entryOf(order, contact));
    this.#byEmail.move(contact.id, before?.email, contact.email);
    this.#byPhone.move(contact.id, before?.phone, contact.phone);
    this.#remember({ at, order, id: contact.id, before });
    return contact;
  }

  delete(id: string, at: number): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    const { contact, order } = entry;
    this.#entries.delete(id);
    this.#byEmail.move(id, contact.email, undefined);
    this.#byPhone.move(id, contact.phone, undefined);
    this.#placesOfDeleted.set(id, order);
    for (const oldest of this.#placesOfDeleted.keys()) {
      if (this.#placesOfDeleted.size <= REMEMBERED_PLACES) break;
      this.#placesOfDeleted.delete(oldest);
    }
    this.#remember({ at, order, id, before: contact });
  }

  /** All that can be seen, oldest first: without the writes that the index has not taken in, or that are to be missed. */
  visible(at: number, isStale: boolean): readonly Entry[] {
    return this.#without((write, isLatest) => (isStale && isLatest) || write.at + this.#lagMs > at);
  }

  /** The place of a contact in the order, also of one deleted lately. */
  placeOf(id: string): number | undefined {
    return this.#entries.get(id)?.order ?? this.#placesOfDeleted.get(id);
  }

  state(): ContactBookState {
    return {
      nextOrder: this.#nextOrder,
      entries: [...this.#entries.values()],
      writes: this.#writes,
      placesOfDeleted: [...this.#placesOfDeleted],
    };
  }

  reset({ nextOrder, entries, writes, placesOfDeleted }: ContactBookState): void {
    this.#entries.clear();
    this.#byEmail.clear();
    this.#byPhone.clear();
    this.#placesOfDeleted.clear();
    this.#nextOrder = nextOrder;
    this.#writes = [...writes];
    for (const [id, order] of placesOfDeleted) this.#placesOfDeleted.set(id, order);
    for (const { order, contact } of entries) {
      Object.freeze(contact);
      this.#entries.set(contact.id, entryOf(order, contact));
      this.#byEmail.move(contact.id, undefined, contact.email);
      this.#byPhone.move(contact.id, undefined, contact.phone);
    }
  }

  /** As it was without some of the latest writes, oldest first. */
  #without(isHidden: (write: Write, isLatest: boolean) => boolean): readonly Entry[] {
    const hidden = new Map<string, Write>();
    for (const [index, write] of this.#writes.entries()) {
      // Of several writes to one contact, the first hidden one knows what was there before.
      if (hidden.has(write.id) || !isHidden(write, index === this.#writes.length - 1)) continue;
      hidden.set(write.id, write);
    }
    if (hidden.size === 0) return [...this.#entries.values()];
    const others = [...this.#entries].flatMap(([id, entry]) => (hidden.has(id) ? [] : [entry]));
    const former = [...hidden.values()].flatMap(({ order, before }) =>
      before ? [entryOf(order, before)] : [],
    );
    return [...others, ...former].toSorted((a, b) => a.order - b.order);
  }

  #remember(write: Write): void {
    const seen = this.#writes.findIndex(({ at }) => at + this.#lagMs > write.at);
    this.#writes.splice(0, seen === -1 ? this.#writes.length : seen);
    this.#writes.push(write);
  }
}

/** What a creation or an update makes of a contact. A field that is null is cleared, one that is left out stays. */
export function withChanges(
  before: StoredContact,
  { customFields, tags, inboundDndSettings: _notShown, ...changes }: Changes,
  at: number,
): StoredContact {
  const { gender: _notKept, locationId: _fixed, ...kept } = changes;
  const fields: Record<string, unknown> = { ...before };
  for (const [field, value] of Object.entries(kept)) {
    if (value === null) delete fields[field];
    else if (value !== undefined) fields[field] = value;
  }
  const name = nameOf(changes, before);
  if (name !== undefined) fields['name'] = name;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- null takes away optional fields only
  const merged = fields as unknown as StoredContact;
  return {
    ...merged,
    tags: tags ? Object.freeze([...new Set(tags)]) : before.tags,
    customFields: mergeCustomFields(before.customFields, customFields),
    dateUpdated: new Date(at).toISOString(),
  };
}

type Changes = Partial<CreateRequest> & UpdateRequest;

/** The whole name: the one given, else the parts put together; undefined when nothing is said about it. */
function nameOf({ name, firstName, lastName }: Changes, before: StoredContact): string | undefined {
  if (name !== undefined) return name ?? undefined;
  if (firstName === undefined && lastName === undefined) return undefined;
  const parts = [firstName, lastName].map((part, index) =>
    part === undefined ? [before.firstName, before.lastName][index] : part,
  );
  return parts.filter(Boolean).join(' ');
}

/** Custom fields are replaced one by one, the others stay. */
function mergeCustomFields(
  before: StoredContact['customFields'],
  changes: Changes['customFields'] = [],
): StoredContact['customFields'] {
  if (changes.length === 0) return before;
  const values = new Map(before.map(({ id, value }) => [id, value]));
  for (const { id, value } of changes) values.set(id, value);
  return Object.freeze(Array.from(values, ([id, value]) => Object.freeze({ id, value })));
}
