import { z } from 'zod';

/** Pages as `listContacts` has them. */
export const ContactPage = z.strictObject({
  limit: z
    .int('must be an integer number')
    .min(1, 'must not be less than 1')
    .max(100, 'must not be greater than 100')
    .default(20),
  skip: z.int('must be an integer number').min(0, 'must not be less than 0').default(0),
});
