import { z } from 'zod';
import type { GoHighLevelContact, GoHighLevelDndSetting } from './client.ts';
import { CHANNELS } from './requests.ts';

/**
 * What answers must look like to be understood: names that nobody knows yet are handed on, values of another type are not.
 * Frozen, for what is handed out is nobody's to change.
 */

const text = () => z.string().exactOptional();
/** The description allows no null, and yet answers were seen to say so of what is not there. */
const maybe = () => z.string().nullish();

const DndSetting = z
  .looseObject({
    status: z.enum(['active', 'inactive', 'permanent']),
    message: text(),
    code: text(),
  })
  .readonly();

/** v3 has other names for the channels. */
const DATED_NAME: ReadonlyMap<string, string> = new Map(
  Object.entries(CHANNELS).map(([dated, v3]) => [v3, dated]),
);
const DndSettings = z
  .record(z.string(), DndSetting)
  .transform((settings): Readonly<Record<string, GoHighLevelDndSetting>> =>
    Object.fromEntries(
      Object.entries(settings).map(([name, setting]) => [DATED_NAME.get(name) ?? name, setting]),
    ),
  );

const contactShape = {
  id: z.string(),
  locationId: z.string(),
  firstName: maybe(),
  lastName: maybe(),
  name: maybe(),
  email: maybe(),
  phone: maybe(),
  companyName: maybe(),
  address1: maybe(),
  city: maybe(),
  state: maybe(),
  postalCode: maybe(),
  country: maybe(),
  website: maybe(),
  timezone: maybe(),
  source: maybe(),
  assignedTo: maybe(),
  dateOfBirth: maybe(),
  dnd: z.boolean().nullish(),
  dndSettings: DndSettings.nullish(),
  tags: z.array(z.string()).readonly(),
  customFields: z
    .array(z.looseObject({ id: z.string(), value: z.json().optional() }).readonly())
    .readonly(),
  dateAdded: z.string(),
  dateUpdated: maybe(),
};

const AnsweredContact = z.looseObject(contactShape);
type AnsweredContact = z.output<typeof AnsweredContact>;

/** Without what is null, for to be told that there is none is not to be told anything else than nothing. */
export function asContact(answered: AnsweredContact): GoHighLevelContact {
  const told: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(answered)) {
    if (value !== null && value !== undefined) told[name] = value;
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- null was all that it had too much
  return Object.freeze(told) as unknown as GoHighLevelContact;
}

const Contact = AnsweredContact.transform(asContact);

export const ContactAnswer = z.looseObject({ contact: Contact });
export const UpsertAnswer = z.looseObject({ new: z.boolean(), contact: Contact });
export const DuplicateAnswer = z.looseObject({ contact: Contact.nullish() });
export const TagsAnswer = z.looseObject({ tags: z.array(z.string()).readonly() });
export const DeletionAnswer = z.union([
  z.looseObject({ succeded: z.literal(true) }),
  z.looseObject({ succeeded: z.literal(true) }),
]);
export const LocationAnswer = z.looseObject({
  location: z.looseObject({ id: z.string(), name: text() }),
});

const SearchAfter = z.array(z.union([z.string(), z.number(), z.null()])).readonly();
export const SearchAnswer = z.looseObject({
  contacts: z.array(AnsweredContact.extend({ searchAfter: SearchAfter.exactOptional() })),
  total: z.int().nonnegative(),
});

/** The dated versions' names, and v3's. */
export const TokenAnswer = z.union([
  z.looseObject({
    access_token: z.string(),
    refresh_token: z.string(),
    expires_in: z.number(),
  }),
  z
    .looseObject({ accessToken: z.string(), refreshToken: z.string(), expiresIn: z.number() })
    .transform(({ accessToken, refreshToken, expiresIn }) => ({
      access_token: accessToken,
      refresh_token: refreshToken,
      expires_in: expiresIn,
    })),
]);
