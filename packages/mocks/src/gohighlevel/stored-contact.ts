import { z } from 'zod';
import { CHANNELS } from './requests.ts';
import type { WireVersion } from './version.ts';
import type { Json } from '../wire/message.ts';

const text = () => z.string().exactOptional();

const DndSetting = z.strictObject({
  status: z.enum(['active', 'inactive', 'permanent']),
  message: text(),
  code: text(),
});

const channel = () => DndSetting.exactOptional();

/** A contact as it is kept: what the vendor's description of an answer names, and nothing else. */
export const StoredContact = z.strictObject({
  id: z.string(),
  locationId: z.string(),
  firstName: text(),
  lastName: text(),
  name: text(),
  email: text(),
  phone: text(),
  companyName: text(),
  address1: text(),
  city: text(),
  state: text(),
  postalCode: text(),
  country: text(),
  website: text(),
  timezone: text(),
  source: text(),
  assignedTo: text(),
  dateOfBirth: text(),
  dnd: z.boolean().exactOptional(),
  dndSettings: z
    .strictObject({
      Call: channel(),
      Email: channel(),
      SMS: channel(),
      WhatsApp: channel(),
      GMB: channel(),
      FB: channel(),
    })
    .exactOptional(),
  tags: z.array(z.string()).readonly(),
  customFields: z.array(z.strictObject({ id: z.string(), value: z.string() })).readonly(),
  dateAdded: z.iso.datetime(),
  dateUpdated: z.iso.datetime(),
});
export type StoredContact = Readonly<z.output<typeof StoredContact>>;

type JsonObject = { readonly [key: string]: Json };

/** As an answer shows it. */
export function shown(contact: StoredContact, version: WireVersion): JsonObject {
  const { dndSettings } = contact;
  if (version === 'dated' || !dndSettings) return contact;
  const renamed = Object.entries(CHANNELS).flatMap(([dated, v3]) => {
    const setting = Object.entries(dndSettings).find(([name]) => name === dated)?.[1];
    return setting ? [[v3, { ...setting }] as const] : [];
  });
  return { ...contact, dndSettings: Object.fromEntries(renamed) };
}

/** As the answer to a creation shows it: the dated versions leave two fields out there. */
export function shownOnCreation(contact: StoredContact, version: WireVersion): JsonObject {
  if (version === 'v3') return shown(contact, version);
  const { name: _name, timezone: _timezone, ...rest } = shown(contact, version);
  return rest;
}

/** As the deprecated list shows it: hardly at all. */
export function shownInList(contact: StoredContact): JsonObject {
  const { id, locationId, email, timezone, country, source, dateAdded, tags, customFields } =
    contact;
  return {
    id,
    locationId,
    ...(email !== undefined && { email }),
    ...(timezone !== undefined && { timezone }),
    ...(country !== undefined && { country }),
    ...(source !== undefined && { source }),
    dateAdded,
    tags,
    customFields: customFields.map(({ id: field, value }) => ({ id: field, value })),
  };
}
