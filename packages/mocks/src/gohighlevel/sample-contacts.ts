import { opaqueId } from '../sample-data/opaque-id.ts';
import { reservedEmail, reservedPhone } from '../sample-data/reserved-addresses.ts';
import { sampleFaker } from '../sample-data/sample-faker.ts';
import type { GoHighLevelContact } from './client.ts';
import type { StoredContact } from './stored-contact.ts';

/** When all sample contacts were added: before any clock of ours starts. */
const ADDED_AT = '2025-12-01T09:00:00.000Z';

/**
 * The contacts that a mock made with `{ seed, contacts: count }` begins with, ids included. The first ones do not
 * depend on `count`.
 * @example
 * const [first] = sampleContacts({ seed: 1, count: 100 });
 * await client.updateContact(first.id, { tags: ['prospect'] });
 */
export function sampleContacts(which: Samples): readonly GoHighLevelContact[] {
  return storedSamples(which);
}

interface Samples {
  seed?: number | string;
  count: number;
  locationId?: string;
}

/** The same, as the mock keeps them. */
export function storedSamples({
  seed = 1,
  count,
  locationId = DEFAULT_LOCATION_ID,
}: Samples): readonly StoredContact[] {
  const faker = sampleFaker(seed, 'gohighlevel', 'sample contacts');
  return Array.from({ length: count }, (_, index) => {
    const firstName = faker.person.firstName();
    const lastName = faker.person.lastName();
    return {
      id: opaqueId(20, seed, 'gohighlevel', 'sample contact', index),
      locationId,
      firstName,
      lastName,
      name: `${firstName} ${lastName}`,
      email: reservedEmail(firstName, lastName, index + 1),
      phone: reservedPhone(index),
      companyName: faker.company.name(),
      city: faker.location.city(),
      state: faker.location.state({ abbreviated: true }),
      country: 'US',
      source: 'sample',
      tags: [],
      customFields: [],
      dateAdded: ADDED_AT,
      dateUpdated: ADDED_AT,
    };
  });
}

/** The location whose contacts a mock holds unless it is told otherwise. */
export const DEFAULT_LOCATION_ID = 'buddyMockLocation001';
