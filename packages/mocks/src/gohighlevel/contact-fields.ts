import { z } from 'zod';
import { normalisePhone } from './normalise.ts';

const text = () => z.string('must be a string').optional();

const updatable = {
  firstName: text(),
  lastName: text(),
  name: text(),
  /** Compared and kept in lower case. */
  email: z.email('must be an email').optional(),
  /** Any usual way of writing it; kept as E.164. A number without country code is taken for one of the US. */
  phone: z
    .string('must be a string')
    .refine((phone) => normalisePhone(phone) !== undefined, 'must be a valid phone number')
    .optional(),
  address1: text(),
  city: text(),
  state: text(),
  postalCode: text(),
  website: text(),
  timezone: text(),
  dnd: z.boolean('must be a boolean value').optional(),
  tags: z.array(z.string('must be a string'), 'must be an array').readonly().optional(),
  customFields: z
    .array(
      z.strictObject({
        id: z.string('must be a string').min(1, 'should not be empty'),
        field_value: z.union([z.string(), z.number()], 'must be a string or a number'),
      }),
      'must be an array',
    )
    .readonly()
    .optional(),
  source: text(),
  /** Two capital letters. */
  country: z
    .string('must be a string')
    .regex(/^[A-Z]{2}$/, 'must be two capital letters')
    .optional(),
  assignedTo: text(),
};

/** The fields that an update takes, named as on the wire (`contacts` API, Version 2021-07-28). */
export const GoHighLevelContactUpdate = z.strictObject(updatable);
export type GoHighLevelContactUpdate = z.input<typeof GoHighLevelContactUpdate>;

/** The fields that a creation takes; the provider takes company and gender here only. */
export const NewGoHighLevelContact = z.strictObject({
  ...updatable,
  companyName: text(),
  gender: text(),
});
/** At least an e-mail address, a phone number or a name. */
export type NewGoHighLevelContact = z.input<typeof NewGoHighLevelContact>;
