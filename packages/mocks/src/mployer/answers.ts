import { z } from 'zod';
import { SENIORITIES } from './filters.ts';

/** What answers must look like to be understood; names that nobody knows yet are handed on. */

const Company = z
  .looseObject({
    name: z.string(),
    industry: z.string(),
    employeeCount: z.number(),
    city: z.string(),
    state: z.string(),
    renewalMonth: z.number(),
    carrier: z.string(),
  })
  .readonly();

const shown = {
  id: z.string(),
  firstName: z.string(),
  lastName: z.string(),
  title: z.string(),
  seniority: z.enum(SENIORITIES),
  company: Company,
  hasEmail: z.boolean(),
  hasPhone: z.boolean(),
};

const User = z.looseObject({ id: z.string(), email: z.string() });

export const SessionAnswer = z.looseObject({
  session: z.looseObject({ token: z.string(), expiresAt: z.iso.datetime() }),
  user: User,
});

export const CurrentSessionAnswer = z.looseObject({ user: User });

export const SearchAnswer = z.looseObject({
  results: z.array(z.looseObject(shown).readonly()).readonly(),
  page: z.looseObject({
    number: z.number(),
    size: z.number(),
    totalResults: z.number(),
    totalPages: z.number(),
    nextCursor: z.string().nullable(),
  }),
});

export const ExtractionAnswer = z.looseObject({
  contacts: z
    .array(
      z
        .looseObject({
          ...shown,
          email: z.string().exactOptional(),
          phone: z.string().exactOptional(),
        })
        .readonly(),
    )
    .readonly(),
  unavailable: z.array(z.looseObject({ id: z.string(), reason: z.string() })).readonly(),
  quota: z.looseObject({
    limit: z.number(),
    used: z.number(),
    remaining: z.number(),
    resetsAt: z.string(),
  }),
});
