import type { Entry } from '../contact-book.ts';
import { normaliseEmail, normalisePhone } from '../normalise.ts';
import type { StoredContact } from '../stored-contact.ts';

export type FieldValue = string | number | boolean | readonly string[] | undefined;

/** A field that a search can ask about. */
export interface SearchableField {
  readonly read: (entry: Entry) => FieldValue;
  /** Dates are compared as ms since the epoch, and may be given as ISO 8601. */
  readonly isDate?: true;
  /** Its text may be that of a number, to be compared as one. */
  readonly mayBeNumber?: true;
  /** How a value that is searched for is kept. */
  readonly normalise?: (value: string) => string;
}

const text = (name: keyof StoredContact & TextField): SearchableField => ({
  read: ({ contact }) => contact[name],
});
const lowerCase = (name: keyof StoredContact & TextField): SearchableField => ({
  read: ({ contact }) => contact[name]?.toLowerCase(),
  normalise: (value) => value.toLowerCase(),
});
type TextField =
  | 'id'
  | 'firstName'
  | 'lastName'
  | 'name'
  | 'email'
  | 'phone'
  | 'companyName'
  | 'address1'
  | 'city'
  | 'state'
  | 'postalCode'
  | 'country'
  | 'website'
  | 'timezone'
  | 'source'
  | 'assignedTo';

const FIELDS: ReadonlyMap<string, SearchableField> = new Map<string, SearchableField>([
  ['id', text('id')],
  ['firstName', text('firstName')],
  ['lastName', text('lastName')],
  ['firstNameLowerCase', lowerCase('firstName')],
  ['lastNameLowerCase', lowerCase('lastName')],
  ['fullNameLowerCase', lowerCase('name')],
  ['email', { ...text('email'), normalise: normaliseEmail }],
  ['phone', { ...text('phone'), normalise: (phone) => normalisePhone(phone) ?? phone }],
  ['companyName', text('companyName')],
  ['businessName', text('companyName')],
  ['address', text('address1')],
  ['address1', text('address1')],
  ['city', text('city')],
  ['state', text('state')],
  ['postalCode', text('postalCode')],
  ['country', text('country')],
  ['website', text('website')],
  ['timezone', text('timezone')],
  ['source', text('source')],
  ['assignedTo', text('assignedTo')],
  ['tags', { read: ({ contact }) => contact.tags }],
  ['dnd', { read: ({ contact }) => contact.dnd ?? false }],
  ['dateAdded', { read: ({ addedAt }) => addedAt, isDate: true }],
  ['dateUpdated', { read: ({ updatedAt }) => updatedAt, isDate: true }],
  [
    'dateOfBirth',
    {
      read: ({ contact: { dateOfBirth } }) =>
        dateOfBirth === undefined ? undefined : Date.parse(dateOfBirth),
      isDate: true,
    },
  ],
]);

/** By name, `customFields.ID` and `dndSettings.SMS.status` included; undefined for one that cannot be searched. */
export function searchableField(name: string): SearchableField | undefined {
  const known = FIELDS.get(name);
  if (known) return known;
  const [group, key, rest] = name.split('.');
  if (key === undefined) return undefined;
  if (group === 'customFields' && rest === undefined) {
    return {
      read: ({ contact }) => contact.customFields.find(({ id }) => id === key)?.value,
      mayBeNumber: true,
    };
  }
  if (group === 'dndSettings' && rest === 'status' && isChannel(key)) {
    return { read: ({ contact }) => contact.dndSettings?.[key]?.status };
  }
  return undefined;
}

const CHANNEL_NAMES = ['Call', 'Email', 'SMS', 'WhatsApp', 'GMB', 'FB'] as const;

function isChannel(name: string): name is (typeof CHANNEL_NAMES)[number] {
  return CHANNEL_NAMES.some((channel) => channel === name);
}
