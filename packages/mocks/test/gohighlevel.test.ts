import { createGoHighLevelMock, type GoHighLevelClient, sampleContacts } from '@buddy/mocks';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closing, CRM_WAYS } from './crm/ways.ts';

describe.each(CRM_WAYS)('GoHighLevel, by $name,', ({ open }) => {
  const makeMock = closing(open);

  async function idOfFirst(seed: number): Promise<string> {
    const { client } = await makeMock({ seed });
    return (await client.createContact({ email: 'ada@example.com' })).id;
  }

  it('creates a contact with the fields given, dated on the clock', async () => {
    const { client, contacts } = await makeMock();
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
    const { client } = await makeMock();
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
    const { client, contacts } = await makeMock();
    await expect(client.createContact(contact)).rejects.toMatchObject({
      code: 'MOCKS_VALIDATION_FAILED',
      status: 422,
      issues: [issue],
    });
    expect(contacts()).toEqual([]);
  });

  it('finds contacts by e-mail address or phone, both of them when they belong to two', async () => {
    const { client } = await makeMock();
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
    const { client, clock } = await makeMock();
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
    const { client } = await makeMock();
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
    const { client } = await makeMock();
    const { id } = await client.createContact({ name: 'Ada', companyName: 'AE', gender: 'female' });
    for (const field of ['companyName', 'gender', 'locationId']) {
      await expect(client.updateContact(id, { [field]: 'x' })).rejects.toMatchObject({
        issues: [`property ${field} should not exist`],
      });
    }
  });

  it('rejects every call that names a contact that is not there', async () => {
    const { client } = await makeMock();
    const missing = { code: 'MOCKS_NOT_FOUND', status: 400, effect: 'none' };
    await expect(client.getContact('nobody')).rejects.toMatchObject(missing);
    await expect(client.updateContact('nobody', {})).rejects.toMatchObject(missing);
    await expect(client.deleteContact('nobody')).rejects.toMatchObject(missing);
  });

  it('answers 404 and 400 where it is told that the provider does', async () => {
    const { client } = await makeMock({ notFoundStatus: 404, missingFieldStatus: 400 });
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
    const { client, contacts } = await makeMock({ contacts: 45 });
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
    const { client, contacts } = await makeMock({ seed: 23, contacts: 300 });
    const expected = sampleContacts({ seed: 23, count: 300 });
    expect(contacts()).toEqual(expected);
    expect(sampleContacts({ seed: 23, count: 2 })).toEqual(expected.slice(0, 2));
    expect(await client.getContact(expected[299]?.id ?? '')).toEqual(expected[299]);
  });

  it('says whose contacts it reaches', async () => {
    const { client } = await makeMock({ locationId: 'elsewhere' });
    expect(await client.testConnection()).toEqual({ account: 'elsewhere' });
  });

  it('hands out contacts that cannot be changed from outside', async () => {
    const { client } = await makeMock();
    const contact = await client.createContact({ name: 'Ada', tags: ['a'] });
    expect(() => Object.assign(contact, { name: 'Eve' })).toThrow('read only');
    expect(() => Object.assign(contact.tags, ['b'])).toThrow('read only');
  });

  it('is as new after a reset', async () => {
    const { client, contacts, journal, reset } = await makeMock({ contacts: 3 });
    const first = await client.createContact({ name: 'Ada' });
    await client.deleteContact(contacts()[0]?.id ?? '');
    reset();
    expect(contacts()).toEqual(sampleContacts({ count: 3 }));
    expect(journal.total).toBe(0);
    expect(await client.createContact({ name: 'Ada' })).toEqual(first);
  });

  it('creates by upsert who is not there, and changes who is', async () => {
    const { client, contacts } = await makeMock();
    const first = await client.upsertContact({ email: 'ada@example.com', firstName: 'Ada' });
    const second = await client.upsertContact({ email: 'ADA@example.com', city: 'London' });
    expect(first.isNew).toBe(true);
    expect(second).toEqual({
      isNew: false,
      contact: { ...first.contact, city: 'London' },
    });
    expect(contacts()).toEqual([second.contact]);
  });

  it('adds tags to those that are there, and takes others away', async () => {
    const { client, contacts } = await makeMock();
    const { id } = await client.createContact({ name: 'Ada', tags: ['a'] });
    expect(await client.addTags(id, ['b', 'a', 'c'])).toEqual(['a', 'b', 'c']);
    expect(await client.removeTags(id, ['a', 'd'])).toEqual(['b', 'c']);
    expect(contacts()[0]?.tags).toEqual(['b', 'c']);
    await expect(client.addTags('nobody', ['a'])).rejects.toMatchObject({
      code: 'MOCKS_NOT_FOUND',
    });
  });

  it('searches by filters and words, sorted, and goes on behind a page', async () => {
    const { client, contacts } = await makeMock({ contacts: 30 });
    const [first] = contacts();
    const page = await client.searchContacts({
      sort: [{ field: 'email', direction: 'asc' }],
      pageLimit: 25,
    });
    const rest = await client.searchContacts({
      sort: [{ field: 'email', direction: 'asc' }],
      pageLimit: 25,
      searchAfter: page.searchAfter,
    });
    const byEmail = contacts().toSorted((a, b) => ((a.email ?? '') < (b.email ?? '') ? -1 : 1));
    expect([...page.contacts, ...rest.contacts]).toEqual(byEmail);
    const found = await client.searchContacts({
      filters: [
        {
          group: 'OR',
          filters: [
            { field: 'email', operator: 'eq', value: first?.email ?? '' },
            { field: 'tags', operator: 'eq', value: 'nobody has this' },
          ],
        },
      ],
    });
    expect(found).toMatchObject({ contacts: [first], total: 1 });
    await expect(
      client.searchContacts({ filters: [{ field: 'shoe', operator: 'exists' }] }),
    ).rejects.toMatchObject({ code: 'MOCKS_VALIDATION_FAILED', issues: ['Invalid field shoe'] });
  });
});

describe('the sample contacts', () => {
  it('uses addresses and numbers that belong to nobody, each but once', () => {
    const samples = sampleContacts({ count: 500 });
    for (const { email, phone } of samples) {
      expect(email).toMatch(/^[a-z]+\.[a-z]+\.\d+@example\.(com|org|net)$/);
      expect(phone).toMatch(/^\+1\d{3}55501\d{2}$/);
    }
    expect(new Set(samples.map(({ email }) => email)).size).toBe(500);
    expect(new Set(samples.map(({ phone }) => phone)).size).toBe(500);
  });

  it('come from a mock that refuses options that it does not know', () => {
    // @ts-expect-error: a misspelt option
    expect(() => createGoHighLevelMock({ contact: 3 })).toThrow('contact');
  });
});

describe('the GoHighLevel mock, beside a model of it', () => {
  it.each(CRM_WAYS.map(({ name, open }, index) => [name, open, index === 0 ? 200 : 25] as const))(
    'gives the same answers and holds the same contacts, whatever is done in whatever order, by %s',
    async (_name, open, numRuns) =>
      fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
          const { client, mock, close } = await open();
          const model = new Model();
          for (const { verb, who, fields, tag } of steps) {
            const id = model.everyId[who] ?? 'nobody';
            const actual = await attempt(() => verbs[verb](client, { id, fields, tag }));
            expect(actual).toEqual(model[verb]({ id, fields, tag }, actual));
          }
          expect(
            mock.contacts().map(({ id, email, phone, tags }) => ({ id, email, phone, tags })),
          ).toEqual(model.contacts);
          await close();
        }),
        { numRuns },
      ),
  );
});

interface Addresses {
  email: string | undefined;
  phone: string | undefined;
}
interface Deed {
  id: string;
  fields: Addresses;
  tag: string;
}
/** The ids of the contacts concerned, or the code of an error. */
type Answer = string[] | string;
type Verb = (client: GoHighLevelClient, deed: Deed) => Promise<string[]>;

const verbs = {
  create: async (client, { fields }) => [(await client.createContact(fields)).id],
  upsert: async (client, { fields }) => {
    const { contact, isNew } = await client.upsertContact(fields);
    return [contact.id, isNew ? 'new' : 'known'];
  },
  update: async (client, { id, fields }) => [(await client.updateContact(id, fields)).id],
  get: async (client, { id }) => [(await client.getContact(id)).id],
  delete: async (client, { id }) => {
    await client.deleteContact(id);
    return [id];
  },
  searchContact: async (client, { fields }) =>
    (await client.searchContact(fields)).map(({ id }) => id).toSorted(),
  searchByTag: async (client, { tag }) => {
    const filters = [{ field: 'tags', operator: 'eq', value: tag } as const];
    const sort = [{ field: 'dateAdded', direction: 'asc' } as const];
    return (await client.searchContacts({ filters, sort })).contacts.map(({ id }) => id);
  },
  list: async (client) => (await client.listContacts()).contacts.map(({ id }) => id),
  addTag: async (client, { id, tag }) => [...(await client.addTags(id, [tag]))],
  removeTag: async (client, { id, tag }) => [...(await client.removeTags(id, [tag]))],
} satisfies Record<string, Verb>;

// Few addresses, so that they clash often.
const step = fc.record({
  verb: fc.constantFrom(
    'create',
    'upsert',
    'update',
    'get',
    'delete',
    'searchContact',
    'searchByTag',
    'list',
    'addTag',
    'removeTag',
  ),
  who: fc.nat(5),
  fields: fc.record({
    email: fc.constantFrom('a@example.com', 'b@example.com', 'c@example.com', undefined),
    phone: fc.constantFrom('+12125550101', '+12125550102', undefined),
  }),
  tag: fc.constantFrom('x', 'y'),
});

async function attempt(act: () => Promise<string[]>): Promise<Answer> {
  return act().catch((error: { code: string }) => error.code);
}

/** The rules of identity, told as simply as can be: a list and a scan. */
class Model {
  contacts: ({ id: string; tags: string[] } & Addresses)[] = [];
  readonly everyId: string[] = [];

  /** Which id a new contact gets is the mock's to say. */
  create({ fields }: Deed, actual: Answer): Answer {
    if (!fields.email && !fields.phone) return 'MOCKS_VALIDATION_FAILED';
    if (this.sharers(fields).length > 0) return 'MOCKS_CONFLICT';
    return [this.add(fields, actual)];
  }

  upsert({ fields }: Deed, actual: Answer): Answer {
    if (!fields.email && !fields.phone) return 'MOCKS_VALIDATION_FAILED';
    const { email, phone } = fields;
    const byEmail = this.contacts.find((one) => email && one.email === email);
    const byPhone = this.contacts.find((one) => phone && one.phone === phone);
    const known = byEmail ?? byPhone;
    if (!known) return [this.add(fields, actual), 'new'];
    if (!byEmail) known.email = email ?? known.email;
    if (!byPhone) known.phone = phone ?? known.phone;
    return [known.id, 'known'];
  }

  update({ id, fields }: Deed): Answer {
    const contact = this.contacts.find((one) => one.id === id);
    if (!contact) return 'MOCKS_NOT_FOUND';
    if (this.sharers(fields).some((one) => one !== contact)) return 'MOCKS_CONFLICT';
    contact.email = fields.email ?? contact.email;
    contact.phone = fields.phone ?? contact.phone;
    return [id];
  }

  get({ id }: Deed): Answer {
    return this.contacts.some((one) => one.id === id) ? [id] : 'MOCKS_NOT_FOUND';
  }

  delete(deed: Deed): Answer {
    const answer = this.get(deed);
    this.contacts = this.contacts.filter((one) => one.id !== deed.id);
    return answer;
  }

  searchContact({ fields }: Deed): Answer {
    if (!fields.email && !fields.phone) return 'MOCKS_VALIDATION_FAILED';
    return this.sharers(fields)
      .map(({ id }) => id)
      .toSorted();
  }

  searchByTag({ tag }: Deed): Answer {
    return this.contacts.filter(({ tags }) => tags.includes(tag)).map(({ id }) => id);
  }

  list(): Answer {
    return this.contacts.map(({ id }) => id).slice(0, 20);
  }

  addTag({ id, tag }: Deed): Answer {
    return this.retag(id, (tags) => [...new Set([...tags, tag])]);
  }

  removeTag({ id, tag }: Deed): Answer {
    return this.retag(id, (tags) => tags.filter((one) => one !== tag));
  }

  private retag(id: string, change: (tags: string[]) => string[]): Answer {
    const contact = this.contacts.find((one) => one.id === id);
    if (!contact) return 'MOCKS_NOT_FOUND';
    contact.tags = change(contact.tags);
    return contact.tags;
  }

  private add(fields: Addresses, actual: Answer): string {
    const id = String(actual[0]);
    this.everyId.push(id);
    this.contacts.push({ id, ...fields, tags: [] });
    return id;
  }

  private sharers({ email, phone }: Addresses) {
    return this.contacts.filter(
      (one) => (email && one.email === email) || (phone && one.phone === phone),
    );
  }
}
