import { z } from 'zod';

export const Credentials = z.strictObject({
  email: z.email('must be an email'),
  password: z.string('must be a string'),
});

const LARGEST_PAGE = 100;
const DEFAULT_PAGE_SIZE = 25;

const SORTABLE = ['firstName', 'lastName', 'title', 'companyName', 'employeeCount'] as const;

/** The filters are looked at by themselves, so that complaints name them as the caller does. */
export const SearchEnvelope = z.strictObject({
  filters: z.looseObject({}, 'must be an object').default({}),
  page: z.int('must be a whole number').min(1, 'must not be less than 1').optional(),
  pageSize: z
    .int('must be a whole number')
    .min(1, 'must not be less than 1')
    .max(LARGEST_PAGE, `must not be greater than ${LARGEST_PAGE}`)
    .default(DEFAULT_PAGE_SIZE),
  cursor: z.string('must be a string').optional(),
  sort: z
    .strictObject({
      field: z.enum(SORTABLE, `must be one of ${SORTABLE.join(', ')}`),
      direction: z.enum(['asc', 'desc'], 'must be asc or desc'),
    })
    .optional(),
});
export type SearchSort = NonNullable<z.output<typeof SearchEnvelope>['sort']>;

export const Extraction = z.strictObject({
  contactIds: z
    .array(z.string('must be a string'), 'must be an array')
    .max(100, 'must not hold more than 100'),
});
