import type { Faker } from '@faker-js/faker';
import type { z } from 'zod';
import { opaqueId } from '../sample-data/opaque-id.ts';
import {
  RESERVED_PHONES,
  reservedEmail,
  reservedPhone,
} from '../sample-data/reserved-addresses.ts';
import { sampleFaker } from '../sample-data/sample-faker.ts';
import type { MployerCompany, MployerContact, Seniority } from './client.ts';
import { type MployerFilters, SENIORITIES } from './filters.ts';

type Filters = z.output<typeof MployerFilters>;

const MOST_RESULTS = 10;
const FEWEST_RESULTS = 3;

/** How many of a hundred people have an address, when nobody asks. */
const SHARE_WITH_EMAIL = 0.9;
const SHARE_WITH_PHONE = 0.7;

const LARGEST_COMPANY = 5_000;

/** NAICS codes of everyday businesses. */
const INDUSTRIES = [
  '236220',
  '238210',
  '311811',
  '332710',
  '423450',
  '441110',
  '484121',
  '511210',
  '522130',
  '541110',
  '541330',
  '541512',
  '561720',
  '611110',
  '621111',
  '623110',
  '721110',
  '722511',
] as const;

/** Invented insurers. */
const CARRIERS = [
  'Cascade Health Mutual',
  'Harborline Benefits',
  'Keystone Valley Health',
  'Northlight Insurance',
  'Prairie States Health Plan',
] as const;

const TITLES: Readonly<Record<Seniority, readonly string[]>> = {
  owner: ['Owner', 'Founder', 'Managing Partner'],
  c_level: ['Chief Executive Officer', 'Chief Financial Officer', 'Chief People Officer'],
  vp: ['Vice President of Human Resources', 'Vice President of Finance'],
  director: ['Director of Human Resources', 'Director of Benefits', 'Director of Operations'],
  manager: ['Human Resources Manager', 'Benefits Manager', 'Office Manager'],
  staff: ['Benefits Analyst', 'Payroll Specialist', 'Human Resources Generalist'],
};

/**
 * The people who fit all filters: ten less one for each filter, but at least three. They are made to fit, and always
 * the same ones in the same order for the same seed.
 * @param key The filters as text, by which these people are told from those of other searches.
 */
export function matchingPeople(
  filters: Filters,
  key: string,
  seed: number | string,
): readonly MployerContact[] {
  const active = Object.values(filters).filter((value) => value !== undefined).length;
  const howMany = Math.max(FEWEST_RESULTS, MOST_RESULTS - active);
  const faker = sampleFaker(seed, 'mployer', key);
  return Array.from({ length: howMany }, (_, index) =>
    Object.freeze(person(filters, faker, opaqueId(16, seed, 'mployer', key, index))),
  );
}

function person(filters: Filters, faker: Faker, id: string): MployerContact {
  const firstName = faker.person.firstName();
  const lastName = faker.person.lastName();
  const seniority = filters.seniority ?? faker.helpers.arrayElement(SENIORITIES);
  const title = filters.title ?? faker.helpers.arrayElement(TITLES[seniority]);
  const hasEmail = filters.hasEmail ?? faker.datatype.boolean(SHARE_WITH_EMAIL);
  const hasPhone = filters.hasPhone ?? faker.datatype.boolean(SHARE_WITH_PHONE);
  const mark = id.slice(0, 6).toLowerCase();
  const phone = reservedPhone(faker.number.int({ max: RESERVED_PHONES - 1 }));
  return {
    id,
    firstName,
    lastName,
    title,
    seniority,
    company: company(filters, faker),
    hasEmail,
    hasPhone,
    ...(hasEmail && { email: reservedEmail(firstName, lastName, mark) }),
    ...(hasPhone && { phone }),
  };
}

function company(filters: Filters, faker: Faker): MployerCompany {
  return Object.freeze({
    name: faker.company.name(),
    industry: industry(filters.industry, faker),
    employeeCount: faker.number.int(employeeRange(filters.employeeCount)),
    city: filters.city ?? faker.location.city(),
    state: filters.state ?? faker.location.state({ abbreviated: true }),
    renewalMonth: filters.renewalMonth ?? faker.number.int({ min: 1, max: 12 }),
    carrier: filters.carrier ?? faker.helpers.arrayElement(CARRIERS),
  });
}

/** A code below the one asked for; that one itself where the table has none. */
function industry(prefix: string | undefined, faker: Faker): string {
  const fitting = INDUSTRIES.filter((code) => code.startsWith(prefix ?? ''));
  return fitting.length > 0 ? faker.helpers.arrayElement(fitting) : (prefix ?? '');
}

function employeeRange({
  min = 2,
  max,
}: { min?: number | undefined; max?: number | undefined } = {}): {
  min: number;
  max: number;
} {
  const highest = max ?? Math.max(min, LARGEST_COMPANY);
  return { min: Math.min(min, highest), max: highest };
}
