import { ManualClock } from '@buddy/core';
import {
  createGoHighLevelMock,
  createGraphMailMock,
  createMployerMock,
  type FaultRule,
  type JournalEntry,
  SEED_FAULTS,
} from '@buddy/mocks';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const CALLS = 2_000;

/** How many standard deviations a count lies from what a rate leads one to expect. The seed is fixed, so it never varies. */
function deviations(count: number | undefined, rate: number, calls = CALLS): number {
  return Math.abs((count ?? 0) - calls * rate) / Math.sqrt(calls * rate * (1 - rate));
}
const LIKELY = 4;

function countFaults(entries: readonly JournalEntry[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { fault } of entries) {
    const name = String(fault ? statusOf(fault) : 'none');
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** Of a fault that answers with one. */
function statusOf(fault: NonNullable<JournalEntry['fault']>): number | undefined {
  return 'status' in fault ? fault.status : undefined;
}

async function repeat(times: number, act: () => Promise<unknown>) {
  for (let n = 0; n < times; n += 1) await act().catch(() => undefined);
}

// They hammer on without waiting, as no client should.
const quick = { seed: 23, latency: 'none', faults: 'seed', earlyRetries: 'allowed' } as const;

// Many calls: on a machine that has much else to do, they take a while.
describe('the fault profile "seed"', () => {
  it('fails 5 % of the logins at Mployer, and limits 5 % of searches and extractions', async () => {
    const { client, journal } = createMployerMock(quick);
    await repeat(CALLS, () => client.login('ada@example.com', 'secret'));
    await repeat(CALLS, () => client.searchContacts({}));
    const logins = countFaults(journal.entries('session.create'));
    expect(deviations(logins['401'], 0.05)).toBeLessThan(LIKELY);
    expect(Object.keys(logins).toSorted()).toEqual(['401', 'none']);
    const searches = countFaults(journal.entries('contacts.search'));
    expect(deviations(searches['429'], 0.05)).toBeLessThan(LIKELY);
    expect(Object.keys(searches).toSorted()).toEqual(['429', 'none']);
    await repeat(CALLS, () => client.extractContacts([]));
    expect(deviations(countFaults(journal.entries('contacts.extract'))['429'], 0.05)).toBeLessThan(
      LIKELY,
    );
    await repeat(CALLS, () => client.logout());
    expect(countFaults(journal.entries('session.delete'))).toEqual({ none: CALLS });
  });

  it('makes GoHighLevel answer 401 at 1 %, 429 at 3 % and 408 at 2 %', async () => {
    const { client, journal } = createGoHighLevelMock(quick);
    await repeat(CALLS, () => client.listContacts());
    const counts = countFaults(journal.entries());
    expect(deviations(counts['401'], 0.01)).toBeLessThan(LIKELY);
    expect(deviations(counts['429'], 0.03)).toBeLessThan(LIKELY);
    expect(deviations(counts['408'], 0.02)).toBeLessThan(LIKELY);
    expect(deviations(counts['none'], 0.94)).toBeLessThan(LIKELY);
  });

  it('makes Graph answer 401 at 1 %, 429 at 1 % and 408 at 2 %', async () => {
    const { client, journal } = createGraphMailMock(quick);
    await repeat(CALLS, () => client.testConnection());
    const counts = countFaults(journal.entries());
    expect(deviations(counts['401'], 0.01)).toBeLessThan(LIKELY);
    expect(deviations(counts['429'], 0.01)).toBeLessThan(LIKELY);
    expect(deviations(counts['408'], 0.02)).toBeLessThan(LIKELY);
    expect(deviations(counts['none'], 0.96)).toBeLessThan(LIKELY);
  });

  it('is not in force unless asked for', async () => {
    const { client, journal } = createGoHighLevelMock({ seed: 23, latency: 'none' });
    await repeat(500, () => client.listContacts());
    expect(countFaults(journal.entries())).toEqual({ none: 500 });
  });

  it('can be put together with rules of one`s own', async () => {
    const faults = [...SEED_FAULTS, rule(503, 0.94, { operation: 'contacts.get' })];
    const { client, journal } = createGoHighLevelMock({ ...quick, faults });
    await repeat(500, () => client.getContact('nobody'));
    expect(countFaults(journal.entries())['none']).toBeUndefined();
  });
});

describe('a fault', () => {
  it('is fixed by seed, operation and number alone: other calls and concurrency never move it', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.array(fc.constantFrom('contacts.search', 'contacts.create', 'location.get'), {
          minLength: 1,
          maxLength: 60,
        }),
        async (seed, operations) => {
          const alone = await runOneByOne(
            seed,
            operations.filter((operation) => operation === 'contacts.search'),
          );
          const amongOthers = await runOneByOne(seed, operations);
          const atOnce = await runAtOnce(seed, operations);
          expect(amongOthers.get('contacts.search')).toEqual(alone.get('contacts.search'));
          expect(atOnce).toEqual(amongOthers);
        },
      ),
      { numRuns: 50 },
    ));

  it.each([
    [400, 'MOCKS_VALIDATION_FAILED', false],
    [401, 'MOCKS_AUTH_FAILED', false],
    [403, 'MOCKS_FORBIDDEN', false],
    [404, 'MOCKS_NOT_FOUND', false],
    [408, 'MOCKS_TIMEOUT', true],
    [409, 'MOCKS_CONFLICT', false],
    [422, 'MOCKS_VALIDATION_FAILED', false],
    [429, 'MOCKS_RATE_LIMITED', true],
    [500, 'MOCKS_PROVIDER_UNAVAILABLE', true],
    [502, 'MOCKS_PROVIDER_UNAVAILABLE', true],
    [503, 'MOCKS_PROVIDER_UNAVAILABLE', true],
    [504, 'MOCKS_PROVIDER_UNAVAILABLE', true],
  ] as const)('of status %i is thrown as %s, retryable: %s', async (status, code, retryable) => {
    const { client } = createGoHighLevelMock({ latency: 'none', faults: [rule(status, 1)] });
    const isDoubtful = [408, 422].includes(status) || status >= 500; // of a creation
    await expect(client.createContact({ name: 'Ada' })).rejects.toMatchObject({
      code,
      status,
      retryable,
      effect: isDoubtful ? 'unknown' : 'none',
      provider: 'gohighlevel',
      operation: 'contacts.create',
      requestId: 'gohighlevel-contacts.create-1',
    });
    await expect(client.listContacts()).rejects.toMatchObject({ code, effect: 'none' });
  });

  it('of status 429 says how long to wait', async () => {
    const faults = [
      { ...rule(429, 1, { operation: 'contacts.search' }), retryAfterMs: 2_500 },
      rule(429, 1, { operation: 'contacts.get' }),
    ];
    const { client } = createGoHighLevelMock({ latency: 'none', faults });
    await expect(client.listContacts()).rejects.toMatchObject({ retryAfterMs: 2_500 });
    await expect(client.getContact('nobody')).rejects.toMatchObject({ retryAfterMs: 1_000 });
  });

  it.each([408, 503] as const)(
    'of status %i lets half of the writes happen, as the journal and the state tell, but not the caller',
    async (status) => {
      const { client, contacts, journal } = createGoHighLevelMock({
        seed: 23,
        latency: 'none',
        faults: [rule(status, 1, { operation: 'contacts.create' })],
      });
      for (let n = 1; n <= 400; n += 1) {
        await expect(client.createContact({ email: `u${n}@example.com` })).rejects.toMatchObject({
          effect: 'unknown',
        });
      }
      expect(deviations(contacts().length, 0.5, 400)).toBeLessThan(LIKELY);
      const carriedOut = journal.entries().filter(({ isCarriedOut }) => isCarriedOut);
      expect(carriedOut.map(({ n }) => `u${n}@example.com`)).toEqual(
        contacts().map(({ email }) => email),
      );
    },
  );

  it('that hides a refusal leaves nothing behind', async () => {
    const { client, contacts, journal } = createGoHighLevelMock({
      latency: 'none',
      faults: [rule(408, 1)],
    });
    await repeat(50, () => client.createContact({ email: 'nobody' }));
    expect(contacts()).toEqual([]);
    expect(journal.entries().filter(({ isCarriedOut }) => isCarriedOut)).toEqual([]);
  });
});

describe('a fault rule', () => {
  it('fits the operations that its pattern covers, of the provider that it names', async () => {
    const faults = [
      rule(503, 1, { operation: 'contacts.*' }),
      rule(500, 1, { provider: 'msgraph', operation: 'mail.send' }),
    ];
    const { client } = createGoHighLevelMock({ latency: 'none', faults });
    await expect(client.listContacts()).rejects.toMatchObject({ status: 503 });
    expect(await client.testConnection()).toHaveProperty('account');
  });

  it.each<[string, unknown, string]>([
    ['an unknown key', [{ ...rule(503, 1), odds: 2 }], 'odds'],
    ['a rate above 1', [rule(503, 1.5)], 'rate'],
    ['a status that no provider answers', [{ ...rule(503, 1), status: 418 }], 'status'],
    ['an unknown kind', [{ ...rule(503, 1), kind: 'explosion' }], 'kind'],
    [
      'an unknown profile',
      'sometimes',
      'must be one of none, seed, flaky, storm, down, real-limits, or a list of fault rules',
    ],
    ['rates that add up to more than 1', [rule(503, 0.6), rule(500, 0.6)], 'add up to 1.2'],
    [
      'an operation that does not exist',
      [rule(503, 1, { operation: 'contacts.crate' })],
      '"contacts.crate" fits no operation of gohighlevel; it has contacts.create',
    ],
  ])('is refused with %s', (_what, faults, complaint) => {
    // @ts-expect-error: what a file may hold
    expect(() => createGoHighLevelMock({ faults })).toThrow(complaint);
  });
});

function rule(
  status: Extract<FaultRule, { kind: 'status' }>['status'],
  rate: number,
  match: FaultRule['match'] = { operation: '*' },
): FaultRule {
  return { match, kind: 'status', status, when: { rate } };
}

const FAULTS = [rule(503, 0.3), rule(429, 0.3)];

function makeCalls(seed: number) {
  const clock = new ManualClock();
  const { client, journal } = createGoHighLevelMock(
    { seed, faults: FAULTS, earlyRetries: 'allowed' },
    { clock },
  );
  const call = (operation: string): Promise<unknown> => {
    if (operation === 'contacts.search') return client.listContacts();
    if (operation === 'contacts.create') return client.createContact({ name: 'Ada' });
    return client.testConnection();
  };
  const faultsByOperation = () => {
    const faults = new Map<string, (number | undefined)[]>();
    for (const { operation, n, fault } of journal.entries()) {
      const row = faults.get(operation) ?? [];
      row[n] = fault && statusOf(fault);
      faults.set(operation, row);
    }
    return faults;
  };
  return { clock, call, faultsByOperation };
}

async function runOneByOne(seed: number, operations: readonly string[]) {
  const { clock, call, faultsByOperation } = makeCalls(seed);
  await clock.run(async () => {
    for (const operation of operations) await call(operation).catch(() => undefined);
  });
  return faultsByOperation();
}

async function runAtOnce(seed: number, operations: readonly string[]) {
  const { clock, call, faultsByOperation } = makeCalls(seed);
  await clock.run(() => Promise.allSettled(operations.map(call)));
  return faultsByOperation();
}
