import { ManualClock } from '@buddy/core';
import { createMployerMock, type MployerMockInput } from '@buddy/mocks';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const MIDNIGHT = Date.UTC(2026, 0, 1);

function make(input: MployerMockInput = {}) {
  const clock = new ManualClock(MIDNIGHT);
  const mock = createMployerMock({ latency: 'none', ...input }, { clock });
  const ask = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) => {
    const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
    const response = await mock.fetch(
      new Request(`https://mployer.example${path}`, {
        method,
        headers: { 'content-type': 'application/json', ...headers },
        ...(text !== undefined && { body: text }),
      }),
    );
    const answer = await response.text();
    const parsed: unknown = answer === '' ? undefined : JSON.parse(answer);
    return { status: response.status, headers: response.headers, body: parsed };
  };
  const login = async () => {
    const { headers } = await ask('POST', '/v1/session', CREDENTIALS);
    return { cookie: headers.get('set-cookie')?.split(';')[0] ?? '' };
  };
  return { clock, ...mock, ask, login };
}

const CREDENTIALS = { email: 'ada@example.com', password: 'secret' };
const Results = z.object({
  results: z.array(z.object({ id: z.string(), lastName: z.string() })),
  page: z.object({ nextCursor: z.string().nullable() }),
});

describe('Mployer on the wire, by a contract of our own', () => {
  it('hands out a token, and the same as a cookie that no script can read', async () => {
    const { ask, login } = make();
    const opened = await ask('POST', '/v1/session', CREDENTIALS);
    expect(opened.status).toBe(201);
    const { session } = z.object({ session: z.object({ token: z.string() }) }).parse(opened.body);
    expect(opened.headers.get('set-cookie')).toContain(
      `${session.token}; Max-Age=1800; Path=/; HttpOnly`,
    );
    const byToken = { authorization: `Bearer ${session.token}` };
    for (const who of [byToken, await login()]) {
      expect(await ask('GET', '/v1/session', undefined, who)).toMatchObject({
        status: 200,
        body: {
          session: { expiresAt: '2026-01-01T00:30:00.000Z' },
          user: { email: 'ada@example.com' },
        },
      });
    }
  });

  it('names what went wrong in one word, and the call', async () => {
    const { ask } = make();
    expect(await ask('POST', '/v1/contacts/search', {})).toMatchObject({
      status: 401,
      body: { error: { code: 'SESSION_EXPIRED', requestId: 'mployer-contacts.search-1' } },
    });
    expect(await ask('POST', '/v1/session', { ...CREDENTIALS, password: '' })).toMatchObject({
      status: 401,
      body: { error: { code: 'INVALID_CREDENTIALS' } },
    });
    expect(await ask('POST', '/v1/session', '{')).toMatchObject({
      status: 400,
      body: { error: { code: 'BAD_REQUEST' } },
    });
    expect(await ask('GET', '/v1/nowhere')).toMatchObject({
      status: 404,
      body: { error: { code: 'NOT_FOUND' } },
    });
  });

  it('ends a session, and does not mind when there is none', async () => {
    const { ask, login } = make();
    const who = await login();
    expect((await ask('DELETE', '/v1/session', undefined, who)).status).toBe(204);
    expect((await ask('DELETE', '/v1/session', undefined, who)).status).toBe(204);
    expect((await ask('GET', '/v1/session', undefined, who)).status).toBe(401);
  });

  it('gives results in pages, by number and by cursor, sorted as asked', async () => {
    const { ask, login } = make();
    const who = await login();
    const search = async (fields: object) => {
      const { status, body } = await ask('POST', '/v1/contacts/search', fields, who);
      return status === 200
        ? Results.parse(body)
        : { results: [], page: { nextCursor: `${status}` } };
    };
    const sort = { field: 'lastName', direction: 'asc' };
    const all = (await search({ sort })).results;
    expect(all.map(({ lastName }) => lastName)).toEqual(
      all.map(({ lastName }) => lastName).toSorted(),
    );
    const first = await search({ sort, pageSize: 4 });
    const second = await search({ sort, pageSize: 4, cursor: first.page.nextCursor });
    const third = await search({ sort, pageSize: 4, page: 3 });
    expect([...first.results, ...second.results, ...third.results]).toEqual(all);
    expect(third.page.nextCursor).toBeNull();
    const { nextCursor: cursor } = first.page;
    expect((await search({ cursor, pageSize: 4, sort, page: 2 })).page.nextCursor).toBe('422');
    expect((await search({ cursor, pageSize: 4, filters: { state: 'CA' } })).page.nextCursor).toBe(
      '422',
    );
    expect((await search({ pageSize: 101 })).page.nextCursor).toBe('422');
  });

  it('gives so many addresses a day, says how many are left, and who has to wait', async () => {
    const { client, clock } = make({ dailyExtractions: 12, sessionMs: 10 * 86_400_000 });
    await client.login('ada@example.com', 'secret');
    const { results } = await client.searchContacts({});
    expect((await client.extractContacts(results)).quota).toEqual({
      limit: 12,
      used: 10,
      remaining: 2,
      resetsAt: '2026-01-02T00:00:00.000Z',
    });
    const { contacts, unavailable } = await client.extractContacts(results);
    expect(contacts).toHaveLength(2);
    expect(unavailable).toHaveLength(8);
    expect(unavailable[0]?.reason).toBe('the quota of today is used up');
    await clock.advance(86_400_000);
    expect((await client.extractContacts(results)).contacts).toHaveLength(10);
  });

  it('goes on after a snapshot as if nothing had been in between', async () => {
    const mock = make();
    await mock.client.login('ada@example.com', 'secret');
    const { results } = await mock.client.searchContacts({ state: 'CA' });
    const snapshot = JSON.stringify(mock.snapshot());
    expect(snapshot).not.toContain('secret');
    await mock.client.extractContacts(results);
    const other = make();
    other.restore(JSON.parse(snapshot));
    mock.restore(JSON.parse(snapshot));
    expect(other.openSessions()).toBe(1);
    const { contacts, quota } = await mock.client.extractContacts(results);
    expect(contacts).toHaveLength(9);
    expect(quota.used).toBe(9);
    expect(() => mock.restore({ provider: 'mployer' })).toThrow('snapshot');
  });
});
