import type { MployerFilters, MployerMockInput, MployerSearchResult } from '@buddy/mocks';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closing, MPLOYER_WAYS } from './crm/ways.ts';

const MINUTE_MS = 60_000;

describe.each(MPLOYER_WAYS)('by $name:', ({ open }) => {
  const makeMock = closing(open);

  async function loggedIn(input: MployerMockInput = {}) {
    const mock = await makeMock(input);
    await mock.client.login('ada@example.com', 'secret');
    return mock;
  }

  describe('a Mployer session', () => {
    it('opens for any address with any password, and lasts 30 minutes', async () => {
      const { client, openSessions } = await makeMock();
      const { session, user } = await client.login('ada@example.com', 'secret');
      expect(session.expiresAt).toBe('2026-01-01T00:30:00.000Z');
      expect(user.email).toBe('ada@example.com');
      expect(openSessions()).toBe(1);
    });

    it('does not open with an empty password, nor for a malformed address', async () => {
      const { client } = await makeMock();
      await expect(client.login('ada@example.com', '')).rejects.toMatchObject({
        code: 'MOCKS_AUTH_FAILED',
        status: 401,
        providerCode: 'INVALID_CREDENTIALS',
      });
      await expect(client.login('ada', 'secret')).rejects.toMatchObject({
        code: 'MOCKS_VALIDATION_FAILED',
      });
    });

    it('opens for the accounts given only, where there are any', async () => {
      const { client } = await makeMock({ accounts: { 'ada@example.com': 'secret' } });
      await client.login('ada@example.com', 'secret');
      await expect(client.login('ada@example.com', 'guess')).rejects.toMatchObject({
        code: 'MOCKS_AUTH_FAILED',
      });
      await expect(client.login('eve@example.com', 'secret')).rejects.toMatchObject({
        code: 'MOCKS_AUTH_FAILED',
      });
    });

    it('is needed to search and to extract', async () => {
      const { client } = await makeMock();
      const refused = { code: 'MOCKS_AUTH_FAILED', providerCode: 'SESSION_EXPIRED' };
      await expect(client.searchContacts({})).rejects.toMatchObject(refused);
      await expect(client.extractContacts([])).rejects.toMatchObject(refused);
    });

    it('expires on the clock, to the millisecond', async () => {
      const { client, clock, openSessions } = await loggedIn();
      await clock.advance(30 * MINUTE_MS - 1);
      await client.searchContacts({});
      await clock.advance(1);
      await expect(client.searchContacts({})).rejects.toMatchObject({ code: 'MOCKS_AUTH_FAILED' });
      expect(openSessions()).toBe(0);
      await client.login('ada@example.com', 'secret');
      await client.searchContacts({});
    });

    it('ends at logout, which may be called without one', async () => {
      const { client, openSessions } = await loggedIn();
      await client.logout();
      expect(openSessions()).toBe(0);
      await expect(client.searchContacts({})).rejects.toMatchObject({ code: 'MOCKS_AUTH_FAILED' });
      await client.logout();
    });
  });

  describe('a Mployer search', () => {
    it('finds 10 people less one for each filter, but at least 3', async () => {
      const { client } = await loggedIn();
      const countOf = async (filters: MployerFilters) =>
        (await client.searchContacts(filters)).page.totalResults;
      expect(await countOf({})).toBe(10);
      expect(await countOf({ state: 'CA' })).toBe(9);
      expect(await countOf({ state: 'CA', hasEmail: true, city: undefined })).toBe(8);
      expect(
        await countOf({
          state: 'CA',
          city: 'Fresno',
          industry: '54',
          title: 'Owner',
          seniority: 'owner',
          renewalMonth: 1,
          carrier: 'Harborline Benefits',
          hasEmail: true,
          hasPhone: true,
        }),
      ).toBe(3);
    });

    it('shows only people who fit every filter', () =>
      fc.assert(
        fc.asyncProperty(filters, async (asked) => {
          const { client } = await loggedIn();
          const { results } = await client.searchContacts(asked);
          for (const person of results) expect(misfits(person, asked)).toEqual([]);
        }),
      ));

    it('finds the same people in the same order for the same seed, however the filters are ordered', async () => {
      const one = await loggedIn({ seed: 7 });
      const other = await loggedIn({ seed: 7 });
      const third = await loggedIn({ seed: 8 });
      await other.client.searchContacts({ state: 'NY' }); // what was asked before makes no difference
      const found = await one.client.searchContacts({ state: 'CA', hasPhone: true });
      expect(await other.client.searchContacts({ hasPhone: true, state: 'CA' })).toEqual(found);
      expect(await third.client.searchContacts({ state: 'CA', hasPhone: true })).not.toEqual(found);
    });

    it.each([
      ['an unknown filter', { shoeSize: 42 }, 'property shoeSize should not exist'],
      ['a state that is none', { state: 'California' }, 'state must be two capital letters'],
      [
        'a range the wrong way round',
        { employeeCount: { min: 9, max: 3 } },
        'employeeCount min must not be greater than max',
      ],
    ])('refuses %s', async (_what, asked, issue) => {
      const { client } = await loggedIn();
      // @ts-expect-error: what the types already refuse, as far as they can
      await expect(client.searchContacts(asked)).rejects.toMatchObject({
        code: 'MOCKS_VALIDATION_FAILED',
        status: 422,
        issues: [issue],
      });
    });

    it('shows whether there is an address, not which; extraction gives it', async () => {
      const { client } = await loggedIn();
      const { results } = await client.searchContacts({ hasEmail: true, hasPhone: true });
      expect(results.flatMap(Object.keys)).not.toContain('email');
      const { contacts, unavailable } = await client.extractContacts(results);
      expect(contacts.map(({ email: _email, phone: _phone, ...shown }) => shown)).toEqual(results);
      for (const { email, phone } of contacts) {
        expect(email).toMatch(/@example\.(com|org|net)$/);
        expect(phone).toMatch(/^\+1\d{3}55501\d{2}$/);
      }
      expect(unavailable).toEqual([]);
    });

    it('gives addresses exactly where it said that there are some', async () => {
      const { client } = await loggedIn();
      for (const state of ['CA', 'NY', 'TX', 'OH']) {
        const { results } = await client.searchContacts({ state });
        const { contacts } = await client.extractContacts(results);
        for (const { email, phone, hasEmail, hasPhone } of contacts) {
          expect([email !== undefined, phone !== undefined]).toEqual([hasEmail, hasPhone]);
        }
      }
    });

    it('extracts in the order asked for, names what it cannot find, and at most 100 at a time', async () => {
      const { client } = await loggedIn();
      const { results } = await client.searchContacts({});
      const backwards = results.toReversed();
      const { contacts, unavailable } = await client.extractContacts([
        ...backwards,
        { id: 'nobody' },
      ]);
      expect(contacts.map(({ id }) => id)).toEqual(backwards.map(({ id }) => id));
      expect(unavailable).toEqual([{ id: 'nobody', reason: 'not found by any recent search' }]);
      const tooMany = Array.from({ length: 101 }, () => ({ id: 'nobody' }));
      await expect(client.extractContacts(tooMany)).rejects.toMatchObject({
        code: 'MOCKS_VALIDATION_FAILED',
      });
    });

    it('is as new after a reset', async () => {
      const { client, openSessions, journal, reset } = await loggedIn();
      reset();
      expect(openSessions()).toBe(0);
      expect(journal.total).toBe(0);
      await expect(client.searchContacts({})).rejects.toMatchObject({ code: 'MOCKS_AUTH_FAILED' });
    });
  });
});

const filters: fc.Arbitrary<MployerFilters> = fc.record(
  {
    state: fc.constantFrom('CA', 'NY', 'TX'),
    city: fc.constantFrom('Fresno', 'new york'),
    industry: fc.constantFrom('23', '54', '541110', '999999', '5221'),
    employeeCount: fc
      .tuple(fc.nat(20_000), fc.nat(20_000))
      .chain(([a, b]) =>
        fc.constantFrom({ min: Math.min(a, b), max: Math.max(a, b) }, { min: a }, { max: b }, {}),
      ),
    title: fc.constantFrom('Owner', 'benefits manager'),
    seniority: fc.constantFrom('owner' as const, 'staff' as const),
    renewalMonth: fc.integer({ min: 1, max: 12 }),
    carrier: fc.constantFrom('Harborline Benefits', 'Somebody Else'),
    hasEmail: fc.boolean(),
    hasPhone: fc.boolean(),
  },
  { requiredKeys: [] },
);

/** The filters that a person does not fit, judged anew: not by the code that made the person. */
function misfits(person: MployerSearchResult, asked: MployerFilters): string[] {
  const { company } = person;
  const { min = 0, max = Infinity } = asked.employeeCount ?? {};
  const fits: Record<keyof MployerFilters, boolean> = {
    state: company.state === asked.state,
    city: company.city.toLowerCase() === asked.city?.toLowerCase(),
    industry: company.industry.startsWith(asked.industry ?? ''),
    employeeCount: company.employeeCount >= min && company.employeeCount <= max,
    title: person.title.toLowerCase() === asked.title?.toLowerCase(),
    seniority: person.seniority === asked.seniority,
    renewalMonth: company.renewalMonth === asked.renewalMonth,
    carrier: company.carrier === asked.carrier,
    hasEmail: person.hasEmail === asked.hasEmail,
    hasPhone: person.hasPhone === asked.hasPhone,
  };
  return Object.entries(fits)
    .filter(([name, fit]) => name in asked && !fit)
    .map(([name]) => name);
}
