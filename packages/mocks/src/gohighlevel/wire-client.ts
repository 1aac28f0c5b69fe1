import type { z } from 'zod';
import { type CallSpec, createWireCaller, type WireCallerParts } from '../client/caller.ts';
import { NotFoundError, ValidationError } from '../errors.ts';
import type { CallOptions } from '../exchange/call-options.ts';
import { complaintsOf } from '../wire/complaints.ts';
import { errorOf, requestIdOf } from './answer-errors.ts';
import {
  asContact,
  ContactAnswer,
  DeletionAnswer,
  DuplicateAnswer,
  LocationAnswer,
  SearchAnswer,
  TagsAnswer,
  UpsertAnswer,
} from './answers.ts';
import type { ContactQuery, GoHighLevelClient, GoHighLevelContact } from './client.ts';
import type { NewGoHighLevelContact } from './contact-fields.ts';
import { ContactPage } from './contact-page.ts';

export interface WireClientSettings {
  readonly locationId: string;
  /** Sent as the `Version` header. */
  readonly version: string;
}

/** The client, over whatever transport. */
export function createWireClient(
  parts: Omit<WireCallerParts, 'provider' | 'errorOf' | 'requestIdOf' | 'headers'>,
  { locationId, version }: WireClientSettings,
): GoHighLevelClient {
  const caller = createWireCaller({
    ...parts,
    provider: 'gohighlevel',
    headers: { version },
    errorOf,
    requestIdOf,
  });
  const call = <Answer extends z.ZodType>(spec: CallSpec<Answer>, options?: CallOptions) =>
    caller.call(spec, options);
  const written = version === 'v3' ? inV3 : (fields: object) => fields;

  const holderOf = async (by: { email: string } | { number: string }, options?: CallOptions) => {
    const { contact } = await call(
      {
        operation: 'contacts.duplicate',
        method: 'GET',
        path: '/contacts/search/duplicate',
        query: { locationId, ...by },
        isWrite: false,
        answer: DuplicateAnswer,
      },
      options,
    );
    return contact ?? undefined;
  };

  const search = async (query: ContactQuery, options: CallOptions | undefined) => {
    const { contacts, total } = await call(
      {
        operation: 'contacts.search',
        method: 'POST',
        path: '/contacts/search',
        json: { locationId, pageLimit: 20, ...query },
        isWrite: false,
        answer: SearchAnswer,
      },
      options,
    );
    const searchAfter = contacts.at(-1)?.searchAfter;
    return {
      contacts: contacts.map(({ searchAfter: _cursor, ...contact }) => asContact(contact)),
      total,
      ...(searchAfter && { searchAfter }),
    };
  };

  const page = (number: number, pageLimit: number, options: CallOptions | undefined) =>
    search({ page: number, pageLimit, sort: OLDEST_FIRST }, options);

  const changeTags = async (
    change: 'add' | 'remove',
    contactId: string,
    tags: readonly string[],
    options: CallOptions | undefined,
  ) => {
    const answer = await call(
      {
        operation: `contacts.tags.${change}`,
        method: change === 'add' ? 'POST' : 'DELETE',
        path: `${pathOf(contactId)}/tags`,
        json: { tags },
        isWrite: true,
        isRepeatable: true,
        answer: TagsAnswer,
      },
      options,
    );
    return answer.tags;
  };

  return {
    createContact: async (contact, options) => {
      const answer = await call(
        {
          operation: 'contacts.create',
          method: 'POST',
          path: '/contacts/',
          json: { ...written(contact), locationId },
          isWrite: true,
          answer: ContactAnswer,
        },
        options,
      );
      return withUnanswered(answer.contact, contact);
    },
    upsertContact: async (contact, options) => {
      const answer = await call(
        {
          operation: 'contacts.upsert',
          method: 'POST',
          path: '/contacts/upsert',
          json: { ...written(contact), locationId },
          isWrite: true,
          // One without an address is known by nothing, and is created anew each time.
          isRepeatable: Boolean(contact.email ?? contact.phone),
          answer: UpsertAnswer,
        },
        options,
      );
      return { contact: answer.contact, isNew: answer.new };
    },
    searchContact: async ({ email, phone }, options) => {
      // Asked for both at once, the provider tells of one.
      const both = [
        ...(email !== undefined || phone === undefined ? [{ email: email ?? '' }] : []),
        ...(phone === undefined ? [] : [{ number: phone }]),
      ];
      const found = await Promise.all(both.map((by) => holderOf(by, options)));
      const byId = new Map(found.flatMap((one) => (one ? [[one.id, one] as const] : [])));
      return [...byId.values()];
    },
    searchContacts: async (query = {}, options) => search(query, options),
    updateContact: async (contactId, changes, options) => {
      const answer = await call(
        {
          operation: 'contacts.update',
          method: 'PUT',
          path: pathOf(contactId),
          json: written(changes),
          isWrite: true,
          isRepeatable: true,
          answer: ContactAnswer,
        },
        options,
      );
      return answer.contact;
    },
    getContact: async (contactId, options) => {
      const answer = await call(
        {
          operation: 'contacts.get',
          method: 'GET',
          path: pathOf(contactId),
          isWrite: false,
          answer: ContactAnswer,
        },
        options,
      );
      return answer.contact;
    },
    listContacts: async (wanted = {}, options) => {
      const { limit, skip } = checkedPage(wanted);
      const first = await page(Math.floor(skip / limit) + 1, limit, options);
      const offset = skip % limit;
      const { total } = first;
      if (offset === 0 || first.contacts.length < limit) {
        return { contacts: first.contacts.slice(offset), total };
      }
      const second = await page(Math.floor(skip / limit) + 2, limit, options);
      const contacts = [...first.contacts, ...second.contacts].slice(offset, offset + limit);
      return { contacts, total };
    },
    deleteContact: async (contactId, options) => {
      await call(
        {
          operation: 'contacts.delete',
          method: 'DELETE',
          path: pathOf(contactId),
          isWrite: true,
          isRepeatable: true,
          settledBy: (error) => (error instanceof NotFoundError ? ALREADY_GONE : undefined),
          answer: DeletionAnswer,
        },
        options,
      );
    },
    addTags: (contactId, tags, options) => changeTags('add', contactId, tags, options),
    removeTags: (contactId, tags, options) => changeTags('remove', contactId, tags, options),
    testConnection: async (options) => {
      const { location } = await call(
        {
          operation: 'location.get',
          method: 'GET',
          path: `/locations/${encodeURIComponent(locationId)}`,
          isWrite: false,
          answer: LocationAnswer,
        },
        options,
      );
      return { account: location.name ?? location.id };
    },
  };
}

const ALREADY_GONE = { succeeded: true } as const;
const OLDEST_FIRST = [{ field: 'dateAdded', direction: 'asc' }] as const;

function pathOf(contactId: string): string {
  return `/contacts/${encodeURIComponent(contactId)}`;
}

/** v3 calls the value of a custom field by another name. */
function inV3(fields: object): object {
  if (!('customFields' in fields) || !Array.isArray(fields.customFields)) return fields;
  const customFields = fields.customFields.map(
    ({ field_value: fieldValue, ...rest }: { field_value: unknown }) => ({ ...rest, fieldValue }),
  );
  return { ...fields, customFields };
}

/** What the answer to a creation leaves out: the name, and where the contact's clock is. */
function withUnanswered(
  answered: GoHighLevelContact,
  sent: NewGoHighLevelContact,
): GoHighLevelContact {
  const { firstName, lastName } = answered;
  const parts = [firstName, lastName].filter(Boolean).join(' ');
  const name = answered.name ?? sent.name ?? (parts === '' ? undefined : parts);
  const timezone = answered.timezone ?? sent.timezone;
  return Object.freeze({
    ...answered,
    ...(name !== undefined && { name }),
    ...(timezone !== undefined && { timezone }),
  });
}

function checkedPage(wanted: z.input<typeof ContactPage>): z.output<typeof ContactPage> {
  const result = ContactPage.safeParse(wanted);
  if (result.success) return result.data;
  // Pages are ours, not the provider's: it would complain of something else.
  const call = {
    provider: 'gohighlevel',
    operation: 'contacts.search',
    requestId: 'not sent',
  } as const;
  throw new ValidationError(complaintsOf(result.error), call, { status: undefined });
}
