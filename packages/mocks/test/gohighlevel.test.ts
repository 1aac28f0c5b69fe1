import { ManualClock } from '@buddy/core';
import {
  createGoHighLevelMock,
  type GoHighLevelClient,
  type GoHighLevelMockInput,
  sampleContacts,
} from '@buddy/mocks';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const NOON = Date.UTC(2026, 0, 1, 12);

function makeMock(input: GoHighLevelMockInput = {}) {
  const clock = new ManualClock(NOON);
  return { clock, ...createGoHighLevelMock({ latency: 'none', ...input }, { clock }) };
}

async function idOfFirst(seed: number): Promise<string> {
  const { client } = makeMock({ seed });
  return (await client.createContact({ email: 'ada@example.com' })).id;
}

describe('the GoHighLevel mock', () => {
  it('creates a contact with the fields given, dated on the clock', async () => {
    const { client, contacts } = makeMock();
    const contact = await client.createContact({
      firstName: 'Ada',
      lastName: 'Lovelace',
      email: 'Ada@Example.com',
      phone: '(212) 555-0142',
      companyName: 'Analytical Engines',
      tags: ['prospect'],
      customFields: [{ id: 'employees', field_value: 48 }],
    });
    expect(contact).toEqual({
      id: expect.stringMatching(/^[A-Za-z0-9]{20}$/),
      locationId: 'buddyMockLocation001',
      firstName: 'Ada',
      lastName: 'Lovelace',
      name: 'Ada Lovelace',
      email: 'ada@example.com',
      phone: '+12125550142',
      companyName: 'Analytical Engines',
      tags: ['prospect'],
      customFields: [{ id: 'employees', value: '48' }],
      dateAdded: '2026-01-01T12:00:00.000Z',
      dateUpdated: '2026-01-01T12:00:00.000Z',
    });
    expect(contacts()).toEqual([contact]);
  });

  it('gives the same ids for the same seed, and others for another', async () => {
    expect(await idOfFirst(1)).toBe(await idOfFirst(1));
    expect(await idOfFirst(1)).not.toBe(await idOfFirst(2));
  });

  it('refuses a second contact with the same e-mail address or phone, however it is written', async () => {
    const { client } = makeMock();
    const { id } = await client.createContact({ email: 'ada@example.com', phone: '+12125550142' });
    await expect(client.createContact({ email: 'ADA@example.com' })).rejects.toMatchObject({
      code: 'MOCKS_CONFLICT',
      status: 400,
      existingId: id,
      matchingField: 'email',
      provider: 'gohighlevel',
      operation: 'contacts.create',
      requestId: 'gohighlevel-contacts.create-2',
      retryable: false,
      effect: 'none',
    });
    await expect(client.createContact({ phone: '212-555-0142' })).rejects.toMatchObject({
      code: 'MOCKS_CONFLICT',
      existingId: id,
      matchingField: 'phone',
    });
  });

  it.each([
    [
      'an unknown field',
      { email: 'a@example.com', shoeSize: 42 },
      'property shoeSize should not exist',
    ],
    ['a malformed address', { email: 'nobody' }, 'email must be an email'],
    ['a phone number that is none', { phone: '12' }, 'phone must be a valid phone number'],
    [
      'nothing to know the contact by',
      { city: 'Paris' },
      'email, phone or name should not be empty',
    ],
    [
      'a malformed country',
      { name: 'A', country: 'France' },
      'country must be two capital letters',
    ],
  ])('refuses to create a contact with %s', async (_what, contact, issue) => {
    const { client, contacts } = makeMock();
    await expect(client.createContact(contact)).rejects.toMatchObject({
      code: 'MOCKS_VALIDATION_FAILED',
      status: 422,
      issues: [issue],
    });
    expect(contacts()).toEqual([]);
  });

  it('finds contacts by e-mail address or phone, both of them when they belong to two', async () => {
    const { client } = makeMock();
    const ada = await client.createContact({ email: 'ada@example.com' });
    const bob = await client.createContact({ phone: '+12125550143' });
    expect(await client.searchContact({ email: 'Ada@example.com' })).toEqual([ada]);
    expect(await client.searchContact({ phone: '212 555 0143' })).toEqual([bob]);
    expect(await client.searchContact({ email: 'ada@example.com', phone: '+12125550143' })).toEqual(
      [ada, bob],
    );
    expect(await client.searchContact({ email: 'eve@example.com' })).toEqual([]);
    await expect(client.searchContact({})).rejects.toMatchObject({
      code: 'MOCKS_VALIDATION_FAILED',
      status: 400,
    });
  });

  it('updates the fields given and leaves the others', async () => {
    const { client, clock } = makeMock();
    const before = await client.createContact({
      email: 'ada@example.com',
      firstName: 'Ada',
      lastName: 'Byron',
      customFields: [{ id: 'a', field_value: 'one' }],
    });
    await clock.advance(60_000);
    const after = await client.updateContact(before.id, {
      lastName: 'Lovelace',
      city: undefined,
      customFields: [{ id: 'b', field_value: 'two' }],
    });
    expect(after).toEqual({
      ...before,
      lastName: 'Lovelace',
      name: 'Ada Lovelace',
      customFields: [
        { id: 'a', value: 'one' },
        { id: 'b', value: 'two' },
      ],
      dateUpdated: '2026-01-01T12:01:00.000Z',
    });
    expect(await client.getContact(before.id)).toEqual(after);
  });

  it('frees the address that an update or a deletion gives up, and guards the one it takes', async () => {
    const { client } = makeMock();
    const ada = await client.createContact({ email: 'ada@example.com' });
    const bob = await client.createContact({ email: 'bob@example.com' });
    await expect(client.updateContact(bob.id, { email: 'ada@example.com' })).rejects.toMatchObject({
      code: 'MOCKS_CONFLICT',
      existingId: ada.id,
    });
    await client.updateContact(ada.id, { email: 'ada@example.org' });
    await client.updateContact(bob.id, { email: 'ada@example.com' });
    await client.deleteContact(bob.id);
    await client.createContact({ email: 'ada@example.com' });
  });

  it('takes a company and a gender on creation only, as the provider does', async () => {
    const { client } = makeMock();
    const { id } = await client.createContact({ name: 'Ada', companyName: 'AE', gender: 'female' });
    for (const field of ['companyName', 'gender', 'locationId']) {
      await expect(client.updateContact(id, { [field]: 'x' })).rejects.toMatchObject({
        issues: [`property ${field} should not exist`],
      });
    }
  });

  it('rejects every call that names a contact that is not there', async () => {
    const { client } = makeMock();
    const missing = { code: 'MOCKS_NOT_FOUND', status: 400, effect: 'none' };
    await expect(client.getContact('nobody')).rejects.toMatchObject(missing);
    await expect(client.updateContact('nobody', {})).rejects.toMatchObject(missing);
    await expect(client.deleteContact('nobody')).rejects.toMatchObject(missing);
  });

  it('answers 404 and 400 where it is told that the provider does', async () => {
    const { client } = makeMock({ notFoundStatus: 404, missingFieldStatus: 400 });
    await expect(client.getContact('nobody')).rejects.toMatchObject({
      code: 'MOCKS_NOT_FOUND',
      status: 404,
    });
    await expect(client.createContact({})).rejects.toMatchObject({
      code: 'MOCKS_VALIDATION_FAILED',
      status: 400,
    });
  });

  it('lists contacts in pages, oldest first, with how many there are', async () => {
    const { client, contacts } = makeMock({ contacts: 45 });
    const page = await client.listContacts();
    expect(page).toEqual({ contacts: contacts().slice(0, 20), total: 45 });
    const rest = await client.listContacts({ limit: 100, skip: 20 });
    expect(rest.contacts).toEqual(contacts().slice(20));
    await expect(client.listContacts({ limit: 101 })).rejects.toMatchObject({
      issues: ['limit must not be greater than 100'],
    });
    await expect(client.listContacts({ skip: -1 })).rejects.toMatchObject({
      issues: ['skip must not be less than 0'],
    });
  });

  it('begins with the sample contacts that it was asked for, whose ids can be known beforehand', async () => {
    const { client, contacts } = makeMock({ seed: 23, contacts: 300 });
    const expected = sampleContacts({ seed: 23, count: 300 });
    expect(contacts()).toEqual(expected);
    expect(sampleContacts({ seed: 23, count: 2 })).toEqual(expected.slice(0, 2));
    expect(await client.getContact(expected[299]?.id ?? '')).toEqual(expected[299]);
  });

  it('uses addresses and numbers that belong to nobody, each but once', () => {
    const samples = sampleContacts({ count: 500 });
    for (const { email, phone } of samples) {
      expect(email).toMatch(/^[a-z]+\.[a-z]+\.\d+@example\.(com|org|net)$/);
      expect(phone).toMatch(/^\+1\d{3}55501\d{2}$/);
    }
    expect(new Set(samples.map(({ email }) => email)).size).toBe(500);
    expect(new Set(samples.map(({ phone }) => phone)).size).toBe(500);
  });

  it('says whose contacts it reaches', async () => {
    const { client } = makeMock({ locationId: 'elsewhere' });
    expect(await client.testConnection()).toEqual({ account: 'elsewhere' });
  });

  it('hands out contacts that cannot be changed from outside', async () => {
    const { client } = makeMock();
    const contact = await client.createContact({ name: 'Ada', tags: ['a'] });
    expect(() => Object.assign(contact, { name: 'Eve' })).toThrow('read only');
    expect(() => Object.assign(contact.tags, ['b'])).toThrow('read only');
  });

  it('is as new after a reset', async () => {
    const { client, contacts, journal, reset } = makeMock({ contacts: 3 });
    const first = await client.createContact({ name: 'Ada' });
    await client.deleteContact(contacts()[0]?.id ?? '');
    reset();
    expect(contacts()).toEqual(sampleContacts({ count: 3 }));
    expect(journal.total).toBe(0);
    expect(await client.createContact({ name: 'Ada' })).toEqual(first);
  });

  it('refuses options that it does not know', () => {
    // @ts-expect-error: a misspelt option
    expect(() => createGoHighLevelMock({ contact: 3 })).toThrow('contact');
  });
});

describe('the GoHighLevel mock, beside a model of it', () => {
  it('gives the same answers and holds the same contacts, whatever is done in whatever order', () =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { client, contacts } = makeMock();
        const model = new Model();
        for (const { verb, who: index, fields } of steps) {
          const id = model.everyId[index] ?? 'nobody';
          const actual = await attempt(() => verbs[verb](client, id, fields));
          expect(actual).toEqual(model[verb](id, fields, actual));
        }
        expect(contacts().map(({ id, email, phone }) => ({ id, email, phone }))).toEqual(
          model.contacts,
        );
      }),
    ));
});

interface Addresses {
  email: string | undefined;
  phone: string | undefined;
}
/** The ids of the contacts concerned, or the code of an error. */
type Answer = string[] | string;

const verbs = {
  create: async (client: GoHighLevelClient, _id: string, fields: Addresses) => [
    (await client.createContact(fields)).id,
  ],
  update: async (client: GoHighLevelClient, id: string, fields: Addresses) => [
    (await client.updateContact(id, fields)).id,
  ],
  get: async (client: GoHighLevelClient, id: string) => [(await client.getContact(id)).id],
  delete: async (client: GoHighLevelClient, id: string) => {
    await client.deleteContact(id);
    return [id];
  },
  search: async (client: GoHighLevelClient, _id: string, fields: Addresses) =>
    (await client.searchContact(fields)).map(({ id }) => id).toSorted(),
};

// Few addresses, so that they clash often.
const step = fc.record({
  verb: fc.constantFrom('create', 'update', 'get', 'delete', 'search'),
  who: fc.nat(5),
  fields: fc.record({
    email: fc.constantFrom('a@example.com', 'b@example.com', 'c@example.com', undefined),
    phone: fc.constantFrom('+12125550101', '+12125550102', undefined),
  }),
});

async function attempt(act: () => Promise<string[]>): Promise<Answer> {
  return act().catch((error: { code: string }) => error.code);
}

/** The rules of identity, told as simply as can be: a list and a scan. */
class Model {
  contacts: ({ id: string } & Addresses)[] = [];
  readonly everyId: string[] = [];

  /** Which id a new contact gets is the mock's to say. */
  create(_id: string, fields: Addresses, actual: Answer): Answer {
    if (!fields.email && !fields.phone) return 'MOCKS_VALIDATION_FAILED';
    if (this.sharers(fields).length > 0) return 'MOCKS_CONFLICT';
    const id = String(actual);
    this.everyId.push(id);
    this.contacts.push({ id, ...fields });
    return [id];
  }

  update(id: string, { email, phone }: Addresses): Answer {
    const contact = this.contacts.find((one) => one.id === id);
    if (!contact) return 'MOCKS_NOT_FOUND';
    if (this.sharers({ email, phone }).some((one) => one !== contact)) return 'MOCKS_CONFLICT';
    contact.email = email ?? contact.email;
    contact.phone = phone ?? contact.phone;
    return [id];
  }

  get(id: string): Answer {
    return this.contacts.some((one) => one.id === id) ? [id] : 'MOCKS_NOT_FOUND';
  }

  delete(id: string): Answer {
    const answer = this.get(id);
    this.contacts = this.contacts.filter((one) => one.id !== id);
    return answer;
  }

  search(_id: string, fields: Addresses): Answer {
    if (!fields.email && !fields.phone) return 'MOCKS_VALIDATION_FAILED';
    return this.sharers(fields)
      .map(({ id }) => id)
      .toSorted();
  }

  private sharers({ email, phone }: Addresses) {
    return this.contacts.filter(
      (one) => (email && one.email === email) || (phone && one.phone === phone),
    );
  }
}
