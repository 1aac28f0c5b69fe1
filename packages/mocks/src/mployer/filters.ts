import { z } from 'zod';

export const SENIORITIES = ['owner', 'c_level', 'vp', 'director', 'manager', 'staff'] as const;

const name = () => z.string('must be a string').min(1, 'should not be empty').optional();
const count = () => z.int('must be a whole number').min(0, 'must not be less than 0').optional();

/** All of them must hold; one that is left out does not count. An unknown name is refused. */
export const MployerFilters = z.strictObject({
  /** Two capital letters, such as `CA`. */
  state: z
    .string('must be a string')
    .regex(/^[A-Z]{2}$/, 'must be two capital letters')
    .optional(),
  /** The whole name; case does not matter. */
  city: name(),
  /** A NAICS code of 2 to 6 digits; a short one means everything below it. */
  industry: z
    .string('must be a string')
    .regex(/^[1-9]\d{1,5}$/, 'must be a NAICS code of 2 to 6 digits')
    .optional(),
  /** Employees of the company, inclusive at both ends. */
  employeeCount: z
    .strictObject({ min: count(), max: count() })
    .refine(({ min = 0, max = Infinity }) => min <= max, 'min must not be greater than max')
    .optional(),
  /** The whole title; case does not matter. */
  title: name(),
  seniority: z.enum(SENIORITIES, `must be one of ${SENIORITIES.join(', ')}`).optional(),
  /** In which the company's benefit plan renews: 1 to 12. */
  renewalMonth: z.int('must be a whole number').min(1).max(12).optional(),
  /** The health insurer's whole name; case does not matter. */
  carrier: name(),
  hasEmail: z.boolean('must be a boolean value').optional(),
  hasPhone: z.boolean('must be a boolean value').optional(),
});
export type MployerFilters = z.input<typeof MployerFilters>;
