import { z } from 'zod';
import type { GoHighLevelContact, GoHighLevelDndSetting } from './client.ts';
import { CHANNELS } from './requests.ts';

/**
 * What answers must look like to be understood: names that nobody knows yet are handed on, values of another type are not.
 * Frozen, for what is handed out is nobody's to change.
 */

const text = () => z.string().exactOptional();

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
  dndSettings: DndSettings.exactOptional(),
  tags: z.array(z.string()).readonly(),
  customFields: z.array(z.looseObject({ id: z.string(), value: z.string() }).readonly()).readonly(),
  dateAdded: z.string(),
  dateUpdated: z.string(),
};

const Contact = z.looseObject(contactShape).readonly() satisfies z.ZodType<GoHighLevelContact>;

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
  contacts: z.array(z.looseObject({ ...contactShape, searchAfter: SearchAfter.exactOptional() })),
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
