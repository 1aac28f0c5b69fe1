import { z } from 'zod';

const limit = (otherwise: number) =>
  z
    .int('must be a whole number')
    .min(1, 'must not be less than 1')
    .max(1_000, 'must not be greater than 1000')
    .default(otherwise);

export const MessageQuery = z.strictObject({
  limit: limit(10),
  skip: z.int('must be a whole number').min(0, 'must not be less than 0').default(0),
  filter: z.string('must be a string').optional(),
});

export const MessageSearch = z.strictObject({
  query: z.string('must be a string'),
  limit: limit(25),
});

export const Reply = z.strictObject({ comment: z.string('must be a string') });
