import type { z } from 'zod';
import { ConflictError, NotFoundError, ValidationError } from '../errors.ts';
import type { Call } from '../exchange/exchange.ts';
import { validate } from '../exchange/validate.ts';
import { opaqueId } from '../sample-data/opaque-id.ts';
import type { GoHighLevelContact, GoHighLevelContactList } from './client.ts';
import { GoHighLevelContactUpdate, NewGoHighLevelContact } from './contact-fields.ts';
import type { GoHighLevelMockOptions } from './options.ts';
import { normaliseEmail, normalisePhone } from './normalise.ts';
import { ContactPage, ContactSearch } from './queries.ts';
import { sampleContacts } from './sample-contacts.ts';

type Fields = z.output<typeof NewGoHighLevelContact>;

/**
 * A location's contacts and the rules for changing them: no clock, no chance, no waiting. What it takes is unchecked, as
 * it would be off the wire. Contacts are replaced, never changed, so what was handed out stays as it was.
 */
export class GoHighLevelEngine {
  readonly #options: GoHighLevelMockOptions;
  readonly #contacts = new Map<string, GoHighLevelContact>();
  readonly #idByEmail = new Map<string, string>();
  readonly #idByPhone = new Map<string, string>();

  constructor(options: GoHighLevelMockOptions) {
    this.#options = options;
    this.reset();
  }

  reset(): void {
    this.#contacts.clear();
    this.#idByEmail.clear();
    this.#idByPhone.clear();
    const { seed, contacts: count, locationId } = this.#options;
    for (const contact of sampleContacts({ seed, count, locationId })) this.#store(contact);
  }

  contacts(): readonly GoHighLevelContact[] {
    return [...this.#contacts.values()];
  }

  create(input: unknown, call: Call): GoHighLevelContact {
    const fields = normalise(validate(NewGoHighLevelContact, input, call));
    this.#requireIdentity(fields, call);
    this.#requireUnique(fields, undefined, call);
    const at = new Date(call.at).toISOString();
    const { locationId, seed } = this.#options;
    const { gender: _notKept, customFields, ...kept } = fields;
    return this.#store({
      id: opaqueId(20, seed, 'gohighlevel', 'contact', call.n),
      locationId,
      ...defined(kept),
      ...named(fields),
      tags: fields.tags ?? [],
      customFields: mergeCustomFields([], customFields),
      dateAdded: at,
      dateUpdated: at,
    });
  }

  update(contactId: string, input: unknown, call: Call): GoHighLevelContact {
    const before = this.get(contactId, call);
    const fields = normalise(validate(GoHighLevelContactUpdate, input, call));
    this.#requireUnique(fields, contactId, call);
    const { customFields, ...kept } = fields;
    const after = this.#store({
      ...before,
      ...defined(kept),
      ...named(fields, before),
      customFields: mergeCustomFields(before.customFields, customFields),
      dateUpdated: new Date(call.at).toISOString(),
    });
    // Only what was given up: a key that a Map loses and regains again and again makes its bucket long, and slow.
    if (after.email !== before.email) this.#forgetEmail(before);
    if (after.phone !== before.phone) this.#forgetPhone(before);
    return after;
  }

  get(contactId: string, call: Call): GoHighLevelContact {
    const contact = this.#contacts.get(contactId);
    if (contact) return contact;
    throw new NotFoundError(`Contact with id ${contactId} not found`, call, {
      status: this.#options.notFoundStatus,
    });
  }

  delete(contactId: string, call: Call): void {
    const contact = this.get(contactId, call);
    this.#contacts.delete(contactId);
    this.#forgetEmail(contact);
    this.#forgetPhone(contact);
  }

  search(input: unknown, call: Call): readonly GoHighLevelContact[] {
    const by = validate(ContactSearch, input, call);
    if (by.email === undefined && by.phone === undefined) {
      throw new ValidationError(['Pass at least one of number, email query parameter'], call, {
        status: 400,
      });
    }
    const { email, phone } = normalise(by);
    return [...new Set([this.#idOfEmail(email), this.#idOfPhone(phone)])].flatMap(
      (id) => this.#contacts.get(id ?? '') ?? [],
    );
  }

  list(input: unknown, call: Call): GoHighLevelContactList {
    const { limit, skip } = validate(ContactPage, input, call);
    return {
      contacts: this.contacts().slice(skip, skip + limit),
      total: this.#contacts.size,
    };
  }

  #requireIdentity({ email, phone, name, firstName, lastName }: Fields, call: Call): void {
    if (email || phone || name || firstName || lastName) return;
    throw new ValidationError(['email, phone or name should not be empty'], call, {
      status: this.#options.missingFieldStatus,
    });
  }

  /** Two contacts share neither e-mail address nor phone number; the address is looked at first. */
  #requireUnique({ email, phone }: Fields, ownId: string | undefined, call: Call): void {
    const taken = [
      { matchingField: 'email', existingId: this.#idOfEmail(email) },
      { matchingField: 'phone', existingId: this.#idOfPhone(phone) },
    ];
    for (const { matchingField, existingId } of taken) {
      if (existingId === undefined || existingId === ownId) continue;
      throw new ConflictError('This location does not allow duplicated contacts.', call, {
        status: 400,
        existingId,
        matchingField,
      });
    }
  }

  #idOfEmail(email: string | undefined): string | undefined {
    return email === undefined ? undefined : this.#idByEmail.get(email);
  }

  #idOfPhone(phone: string | undefined): string | undefined {
    return phone === undefined ? undefined : this.#idByPhone.get(phone);
  }

  #store(contact: GoHighLevelContact): GoHighLevelContact {
    Object.freeze(contact);
    this.#contacts.set(contact.id, contact); // an updated one keeps its place in the order
    if (contact.email !== undefined) this.#idByEmail.set(contact.email, contact.id);
    if (contact.phone !== undefined) this.#idByPhone.set(contact.phone, contact.id);
    return contact;
  }

  #forgetEmail({ email }: GoHighLevelContact): void {
    if (email !== undefined) this.#idByEmail.delete(email);
  }

  #forgetPhone({ phone }: GoHighLevelContact): void {
    if (phone !== undefined) this.#idByPhone.delete(phone);
  }
}

function normalise<F extends { email?: string | undefined; phone?: string | undefined }>(
  fields: F,
): F {
  const { email, phone } = fields;
  return {
    ...fields,
    ...(email !== undefined && { email: normaliseEmail(email) }),
    ...(phone !== undefined && { phone: normalisePhone(phone) }),
  };
}

/** The whole name: the one given, else the parts put together, else the one there was. */
function named(
  { name, firstName, lastName }: Fields,
  before?: GoHighLevelContact,
): { name?: string } {
  if (name !== undefined) return { name };
  if (firstName === undefined && lastName === undefined) return {};
  const parts = [firstName ?? before?.firstName, lastName ?? before?.lastName];
  return { name: parts.filter(Boolean).join(' ') };
}

/** Custom fields are replaced one by one, the others stay. */
function mergeCustomFields(
  before: GoHighLevelContact['customFields'],
  changes: Fields['customFields'] = [],
): GoHighLevelContact['customFields'] {
  const values = new Map(before.map(({ id, value }) => [id, value]));
  for (const { id, field_value } of changes) values.set(id, String(field_value));
  return Object.freeze([...values].map(([id, value]) => Object.freeze({ id, value })));
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

/** Leaves out what is undefined: to update a field to nothing is to leave it. */
function defined<T extends object>(fields: T): Defined<T> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- fromEntries forgets the keys
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Defined<T>;
}
