import { describeFailure, ManualClock } from '@buddy/core';
import {
  createGoHighLevelClient,
  createGoHighLevelMock,
  type FaultRule,
  type GoHighLevelClient,
  type GoHighLevelMock,
  type NewGoHighLevelContact,
} from '@buddy/mocks';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LOCATION, NOON } from './crm/ways.ts';

const SEEDS = Array.from({ length: 200 }, (_, seed) => seed);

/** What was to be created happens, and in half of the cases nobody is told. */
const lostCreations: FaultRule[] = [
  { match: { operation: 'contacts.create' }, kind: 'commitThenFail', when: { rate: 0.25 } },
  {
    match: { operation: 'contacts.create' },
    kind: 'commitThenFail',
    status: 504,
    when: { rate: 0.25 },
  },
  { match: { operation: 'contacts.create' }, kind: 'reset', when: { rate: 0.1 } },
];

function make(seed: number) {
  const clock = new ManualClock(NOON);
  // Two contacts with one address would be possible here: nothing but the caller's care prevents it.
  const mock = createGoHighLevelMock(
    { seed, faults: lostCreations, latency: 'none', allowDuplicates: true, searchLagMs: 5_000 },
    { clock },
  );
  return { clock, mock };
}

/** Creates, and when it cannot tell whether that happened, looks before it does so again. */
async function createOnce(
  client: GoHighLevelClient,
  contact: NewGoHighLevelContact,
): Promise<string> {
  for (;;) {
    try {
      return (await client.createContact(contact)).id;
    } catch (error) {
      if (describeFailure(error).effect === 'none') continue;
      const [known] = await client.searchContact({ email: contact.email });
      if (known) return known.id;
    }
  }
}

const people = ['ada', 'bob', 'eve'].map((name) => ({ email: `${name}@example.com` }));

function emailsOf(mock: GoHighLevelMock): string[] {
  return mock.contacts().map(({ email = '' }) => email);
}

describe('a creation whose answer is lost', () => {
  it('leaves nobody there twice when the caller looks first, for 200 seeds, over two ways', async () => {
    let lost = 0;
    for (const seed of SEEDS) {
      const { clock, mock } = make(seed);
      const credentials = { token: 'pit-any' };
      const real = createGoHighLevelClient(
        { locationId: DEFAULT_LOCATION, credentials },
        { fetch: mock.fetch, clock },
      );
      const client = seed % 2 === 0 ? mock.client : real;
      const ids = await clock.run(() =>
        Promise.all(people.map((person) => createOnce(client, person))),
      );
      expect(emailsOf(mock).toSorted()).toEqual(people.map(({ email }) => email));
      expect(
        mock
          .contacts()
          .map(({ id }) => id)
          .toSorted(),
      ).toEqual(ids.toSorted());
      lost += mock.journal.entries().filter(({ fault }) => fault?.kind === 'commitThenFail').length;
    }
    expect(lost).toBeGreaterThan(200);
  });

  it('leaves some twice when the caller just tries again: so it is the looking that helps', async () => {
    let doubled = 0;
    for (const seed of SEEDS.slice(0, 20)) {
      const { mock } = make(seed);
      for (const person of people) {
        for (let n = 0; n < 10; n += 1) {
          const isDone = await mock.client.createContact(person).then(
            () => true,
            () => false,
          );
          if (isDone) break;
        }
      }
      doubled += emailsOf(mock).length - people.length;
    }
    expect(doubled).toBeGreaterThan(0);
  });

  it('need not be feared of an upsert: the real client repeats it, and there is one contact', async () => {
    for (const seed of SEEDS.slice(0, 50)) {
      const clock = new ManualClock(NOON);
      const faults = lostCreations.slice(0, 1).map((rule) => ({
        ...rule,
        match: { operation: 'contacts.upsert' },
      }));
      const mock = createGoHighLevelMock({ seed, faults, latency: 'none' }, { clock });
      const client = createGoHighLevelClient(
        {
          locationId: DEFAULT_LOCATION,
          credentials: { token: 'pit-any' },
          retries: { attempts: 10 },
        },
        { fetch: mock.fetch, clock },
      );
      for (const person of people) await clock.run(() => client.upsertContact(person));
      expect(emailsOf(mock)).toEqual(people.map(({ email }) => email));
    }
  });
});
