import { describeFailure } from '@buddy/core';
import type { CallOptions } from '../exchange/call-options.ts';
import type { GoHighLevelClient, GoHighLevelContact } from '../gohighlevel/client.ts';
import type { GoHighLevelContactUpdate } from '../gohighlevel/contact-fields.ts';
import type { ContactTransfer, MployerContact, TransferReport } from './client.ts';

/**
 * Brings people found at Mployer into the CRM. It uses nothing but the CRM's client, so it serves mock and real alike.
 *
 * One after the other: two people with one address in the same list meet as they would in two calls. A write whose
 * answer was lost is looked up, and counts as done if it is found; nothing else is tried twice.
 */
export async function addToGoHighLevel(
  contacts: readonly MployerContact[],
  gohighlevel: GoHighLevelClient,
  options: CallOptions = {},
): Promise<TransferReport> {
  options.signal?.throwIfAborted();
  const transfers: ContactTransfer[] = [];
  for (const contact of contacts) {
    transfers.push(await transfer(contact, gohighlevel, keyFor(contact, options)));
  }
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
    const found = await find();
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
