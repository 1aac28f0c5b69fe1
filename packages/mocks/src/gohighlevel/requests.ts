import { z } from 'zod';
import { complaintsOf } from '../wire/complaints.ts';
import { DEEPEST_JSON, isDeeperThan } from '../wire/json-depth.ts';
import type { WireRequest } from '../wire/message.ts';
import { RequestRefusedError } from '../wire/request-refused-error.ts';
import { isoDateOf } from './iso-date.ts';
import { normaliseEmail, normalisePhone } from './normalise.ts';
import { badRequest, unprocessable } from './replies.ts';
import type { WireVersion } from './version.ts';

/** What requests may carry, by the vendor's description: null clears a field where it is allowed. */

const text = () => z.string('must be a string').optional();
const nullableText = () => z.string('must be a string').nullish();

const FieldValue = z.union(
  [z.string(), z.number(), z.boolean(), z.array(z.string()), z.record(z.string(), z.json())],
  'must be a string, a number, a list or an object',
);

const CustomField = z.strictObject({
  id: z.string('must be a string').min(1, 'should not be empty'),
  key: text(),
  field_value: FieldValue.optional(),
});
const CUSTOM_FIELD = {
  dated: CustomField.transform(({ id, field_value }) => ({ id, value: asText(field_value) })),
  v3: CustomField.extend({ fieldValue: FieldValue.optional() }).transform(
    ({ id, fieldValue, field_value }) => ({ id, value: asText(fieldValue ?? field_value) }),
  ),
} as const;

/** The provider keeps every value as text. */
function asText(value: z.output<typeof FieldValue> | undefined): string {
  if (value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

const DndSetting = z.strictObject({
  status: z.enum(
    ['active', 'inactive', 'permanent'],
    'must be one of the following values: active, inactive, permanent',
  ),
  message: z.string('must be a string').exactOptional(),
  code: z.string('must be a string').exactOptional(),
});

/** By channel, as the dated versions name it and as v3 does. */
export const CHANNELS = {
  Call: 'call',
  Email: 'email',
  SMS: 'sms',
  WhatsApp: 'whatsApp',
  GMB: 'gmb',
  FB: 'fb',
} as const;

const channel = () => DndSetting.optional();
const DatedDndSettings = z.strictObject({
  Call: channel(),
  Email: channel(),
  SMS: channel(),
  WhatsApp: channel(),
  GMB: channel(),
  FB: channel(),
});
const V3DndSettings = z
  .strictObject({
    call: channel(),
    email: channel(),
    sms: channel(),
    whatsApp: channel(),
    gmb: channel(),
    fb: channel(),
  })
  .transform((settings) => ({
    Call: settings.call,
    Email: settings.email,
    SMS: settings.sms,
    WhatsApp: settings.whatsApp,
    GMB: settings.gmb,
    FB: settings.fb,
  }));

function updatable(version: WireVersion) {
  return {
    firstName: nullableText(),
    lastName: nullableText(),
    name: nullableText(),
    email: z.email('must be an email').transform(normaliseEmail).nullish(),
    phone: z
      .string('must be a string')
      .transform((phone, context) => {
        const normalised = normalisePhone(phone);
        if (normalised !== undefined) return normalised;
        context.addIssue('must be a valid phone number');
        return z.NEVER;
      })
      .nullish(),
    address1: nullableText(),
    city: nullableText(),
    state: nullableText(),
    postalCode: text(),
    website: nullableText(),
    timezone: nullableText(),
    dnd: z.boolean('must be a boolean value').optional(),
    dndSettings: (version === 'v3' ? V3DndSettings : DatedDndSettings).optional(),
    inboundDndSettings: z
      .strictObject({
        all: z
          .strictObject({
            status: z.enum(
              ['active', 'inactive'],
              'must be one of the following values: active, inactive',
            ),
            message: text(),
          })
          .optional(),
      })
      .optional(),
    tags: z.array(z.string('must be a string'), 'must be an array').optional(),
    customFields: z.array(CUSTOM_FIELD[version], 'must be an array').optional(),
    source: nullableText(),
    dateOfBirth: z
      .string('must be a valid date')
      .transform((date, context) => {
        const iso = isoDateOf(date);
        if (iso !== undefined) return iso;
        context.addIssue('must be a valid date');
        return z.NEVER;
      })
      .nullish(),
    country: z
      .string('must be a string')
      .regex(/^[A-Z]{2}$/, 'must be two capital letters')
      .optional(),
    assignedTo: nullableText(),
  };
}

function creatable(version: WireVersion) {
  return {
    ...updatable(version),
    locationId: z.string('must be a string'),
    gender: text(),
    companyName: nullableText(),
  };
}

const UPDATE = {
  dated: z.strictObject(updatable('dated')),
  v3: z.strictObject(updatable('v3')),
} as const;
const CREATE = {
  dated: z.strictObject(creatable('dated')),
  v3: z.strictObject(creatable('v3')),
} as const;
const createNewIfDuplicateAllowed = z.boolean('must be a boolean value').default(false);
const UPSERT = {
  dated: CREATE.dated.extend({ createNewIfDuplicateAllowed }),
  v3: CREATE.v3.extend({ createNewIfDuplicateAllowed }),
} as const;

export type UpdateRequest = z.output<(typeof UPDATE)[WireVersion]>;
export type CreateRequest = z.output<(typeof CREATE)[WireVersion]>;
export type UpsertRequest = z.output<(typeof UPSERT)[WireVersion]>;

export const readUpdate = (body: unknown, version: WireVersion): UpdateRequest =>
  check(UPDATE[version], body);
export const readCreate = (body: unknown, version: WireVersion): CreateRequest =>
  check(CREATE[version], body);
export const readUpsert = (body: unknown, version: WireVersion): UpsertRequest =>
  check(UPSERT[version], body);

const Tags = z.strictObject({
  tags: z.array(z.string('must be a string'), 'must be an array').min(1, 'should not be empty'),
});
export const readTags = (body: unknown): readonly string[] => check(Tags, body).tags;

const wholeNumber = (least: number, most: number) =>
  z.coerce
    .number('must be a number')
    .int('must be an integer number')
    .min(least, `must not be less than ${least}`)
    .max(most, `must not be greater than ${most}`);

const ListQuery = z.looseObject({
  limit: wholeNumber(1, 100).default(20),
  startAfter: z.string().regex(/^\d+$/, 'must be a number').transform(Number).optional(),
  startAfterId: z.string().optional(),
  query: z.string().max(75, 'must be shorter than or equal to 75 characters').optional(),
});
export type ListRequest = z.output<typeof ListQuery>;
export const readList = (query: URLSearchParams): ListRequest =>
  check(ListQuery, Object.fromEntries(query));

const DuplicateQuery = z.looseObject({
  email: z.email('must be an email').transform(normaliseEmail).optional(),
  number: z
    .string()
    .transform((phone) => normalisePhone(phone) ?? phone)
    .optional(),
});

/** @throws {RequestRefusedError} When neither an address nor a number is given. */
export function readDuplicateQuery(query: URLSearchParams) {
  const given = Object.fromEntries([...query].filter(([, value]) => value !== ''));
  if (given['email'] === undefined && given['number'] === undefined) {
    throw new RequestRefusedError(badRequest('Pass at least one of number, email query parameter'));
  }
  return check(DuplicateQuery, given);
}

/**
 * The body as an object.
 * @throws {RequestRefusedError} When there is none, or it is too deep.
 */
export function bodyOf({ body }: WireRequest): Readonly<Record<string, unknown>> {
  switch (body.kind) {
    case 'none':
      return {};
    case 'json':
      if (!isObject(body.value)) {
        throw new RequestRefusedError(badRequest('Unexpected token in JSON at position 0'));
      }
      if (isDeeperThan(DEEPEST_JSON, body.value)) {
        throw new RequestRefusedError(
          badRequest(`JSON must not be nested more than ${DEEPEST_JSON} deep`),
        );
      }
      return body.value;
    case 'form':
      return Object.fromEntries(body.fields);
    case 'unreadable':
      throw new RequestRefusedError(badRequest('Unexpected token in JSON at position 0'));
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function check<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new RequestRefusedError(unprocessable(complaintsOf(result.error)));
}
