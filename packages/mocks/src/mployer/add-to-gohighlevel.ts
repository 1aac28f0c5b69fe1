import { describeFailure } from '@buddy/core';
import { createConcurrencyGate } from '../client/concurrency-gate.ts';
import type { CallOptions } from '../exchange/call-options.ts';
import type { GoHighLevelClient, GoHighLevelContact } from '../gohighlevel/client.ts';
import type { GoHighLevelContactUpdate } from '../gohighlevel/contact-fields.ts';
import type { ContactTransfer, MployerContact, TransferOptions, TransferReport } from './client.ts';

const DEFAULT_CONCURRENCY = 4;

/**
 * Brings people found at Mployer into the CRM. It uses nothing but the CRM's client, so it serves mock and real alike.
 *
 * Those who share an address or a number go one after the other, so that two in the same list meet as they would in two
 * calls. A write whose answer was lost is looked up, and counts as done if it is found; nothing else is tried twice.
 */
export async function addToGoHighLevel(
  contacts: readonly MployerContact[],
  gohighlevel: GoHighLevelClient,
  { concurrency = DEFAULT_CONCURRENCY, ...options }: TransferOptions = {},
): Promise<TransferReport> {
  options.signal?.throwIfAborted();
  const gate = createConcurrencyGate(concurrency);
  const finished = await Promise.all(
    kindred(contacts).map(async (group) => {
      const transfers: { index: number; transfer: ContactTransfer }[] = [];
      for (const { contact, index } of group) {
        const moved = await gate.pass(
          () => transfer(contact, gohighlevel, keyFor(contact, options)),
          options.signal,
        );
        transfers.push({ index, transfer: moved });
      }
      return transfers;
    }),
  );
  const transfers = finished
    .flat()
    .toSorted((a, b) => a.index - b.index)
    .map((one) => one.transfer);
  const count = (status: ContactTransfer['status']) =>
    transfers.filter((one) => one.status === status).length;
  return {
    transfers,
    created: count('created'),
    updated: count('updated'),
    skipped: count('skipped'),
    failed: count('failed'),
  };
}

interface Placed {
  readonly contact: MployerContact;
  readonly index: number;
}

/** Groups of people who share an address or a number, directly or by way of others; each group in the order given. */
function kindred(contacts: readonly MployerContact[]): readonly (readonly Placed[])[] {
  const groupOf = new Map<string, Placed[]>();
  const groups = new Set<Placed[]>();
  for (const [index, contact] of contacts.entries()) {
    const keys = [contact.email?.toLowerCase(), contact.phone].filter((key) => key !== undefined);
    const met = new Set(keys.flatMap((key) => groupOf.get(key) ?? []));
    const joined = [...met, { contact, index }].toSorted((a, b) => a.index - b.index);
    for (const key of keys) groups.delete(groupOf.get(key) ?? []);
    groups.add(joined);
    for (const one of joined) {
      if (one.contact.email !== undefined) groupOf.set(one.contact.email.toLowerCase(), joined);
      if (one.contact.phone !== undefined) groupOf.set(one.contact.phone, joined);
    }
  }
  return [...groups];
}

function keyFor({ id }: MployerContact, { signal, idempotencyKey }: CallOptions): CallOptions {
  return {
    signal,
    ...(idempotencyKey !== undefined && { idempotencyKey: `${idempotencyKey}/${id}` }),
  };
}

async function transfer(
  contact: MployerContact,
  gohighlevel: GoHighLevelClient,
  options: CallOptions,
): Promise<ContactTransfer> {
  const { email, phone } = contact;
  if (!email && !phone) return { status: 'skipped', contact, reason: 'no e-mail and no phone' };
  const find = async () =>
    samePerson(contact, await gohighlevel.searchContact({ email, phone }, options));
  try {
    const existing = await find();
    if (!existing) return await create(contact, gohighlevel, options, find);
    const changes = differences(contact, existing);
    if (!changes) {
      return { status: 'skipped', contact, reason: 'unchanged', contactId: existing.id };
    }
    await gohighlevel.updateContact(existing.id, changes, options);
    return { status: 'updated', contact, contactId: existing.id };
  } catch (error) {
    options.signal?.throwIfAborted();
    return { status: 'failed', contact, error: describeFailure(error) };
  }
}

async function create(
  contact: MployerContact,
  gohighlevel: GoHighLevelClient,
  options: CallOptions,
  find: () => Promise<GoHighLevelContact | undefined>,
): Promise<ContactTransfer> {
  try {
    const { id } = await gohighlevel.createContact(
      { ...fieldsOf(contact), companyName: contact.company.name, source: 'Mployer' },
      options,
    );
    return { status: 'created', contact, contactId: id };
  } catch (error) {
    if (describeFailure(error).effect === 'none') throw error;
    options.signal?.throwIfAborted();
    // When it cannot be looked up, it stays unknown, whatever the look-up itself has to say.
    const found = await find().catch(() => undefined);
    if (!found) throw error;
    return { status: 'created', contact, contactId: found.id };
  }
}

/**
 * The one with the same e-mail address; else the one with the same phone, unless it has another address: then two people
 * share a telephone, and one must not be written over the other.
 */
function samePerson(
  { email }: MployerContact,
  found: readonly GoHighLevelContact[],
): GoHighLevelContact | undefined {
  const byEmail = found.find((one) => email !== undefined && one.email === email.toLowerCase());
  return byEmail ?? found.find((one) => email === undefined || one.email === undefined);
}

/** What an update may carry; the company can be given on creation only. */
function fieldsOf({ firstName, lastName, email, phone, company }: MployerContact) {
  return {
    firstName,
    lastName,
    ...(email !== undefined && { email: email.toLowerCase() }),
    ...(phone !== undefined && { phone }),
    city: company.city,
    state: company.state,
  } satisfies GoHighLevelContactUpdate;
}

function differences(
  contact: MployerContact,
  existing: GoHighLevelContact,
): GoHighLevelContactUpdate | undefined {
  const known: Readonly<Record<string, unknown>> = { ...existing };
  const changed = Object.entries(fieldsOf(contact)).filter(
    ([field, value]) => known[field] !== value,
  );
  return changed.length > 0 ? Object.fromEntries(changed) : undefined;
}
