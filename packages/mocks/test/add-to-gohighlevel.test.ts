import { ManualClock } from '@buddy/core';
import {
  createGoHighLevelMock,
  createMployerMock,
  type FaultRule,
  type GoHighLevelMockInput,
  type MployerContact,
} from '@buddy/mocks';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

function makeMocks(input: GoHighLevelMockInput = {}) {
  const { client: mployer } = createMployerMock({ latency: 'none' });
  const crm = createGoHighLevelMock({ latency: 'none', ...input });
  return { mployer, crm };
}

function person(id: string, changes: Partial<MployerContact> = {}): MployerContact {
  return {
    id,
    firstName: 'Ada',
    lastName: id,
    title: 'Owner',
    seniority: 'owner',
    company: {
      name: 'Analytical Engines',
      industry: '541512',
      employeeCount: 12,
      city: 'Fresno',
      state: 'CA',
      renewalMonth: 1,
      carrier: 'Harborline Benefits',
    },
    hasEmail: true,
    hasPhone: false,
    email: `${id}@example.com`,
    ...changes,
  };
}

const { email: _email, ...unreachable } = person('unreachable');

function fault(
  operation: string,
  status: Extract<FaultRule, { kind: 'status' }>['status'],
  rate: number,
): FaultRule {
  return { match: { operation }, kind: 'status', status, when: { rate } };
}

describe('adding Mployer contacts to GoHighLevel', () => {
  it('creates who is new, updates who has changed, skips the rest, each in its place', async () => {
    const { mployer, crm } = makeMocks();
    await crm.client.createContact({ email: 'known@example.com', firstName: 'Augusta' });
    await mployer.addToGoHighLevel([person('same')], crm.client);
    const report = await mployer.addToGoHighLevel(
      [person('new'), unreachable, person('known'), person('same')],
      crm.client,
    );
    expect(report).toMatchObject({ created: 1, updated: 1, skipped: 2, failed: 0 });
    expect(
      report.transfers.map((one) => [one.contact.id, one.status, 'reason' in one && one.reason]),
    ).toEqual([
      ['new', 'created', false],
      ['unreachable', 'skipped', 'no e-mail and no phone'],
      ['known', 'updated', false],
      ['same', 'skipped', 'unchanged'],
    ]);
    expect(crm.contacts()).toMatchObject([
      { email: 'known@example.com', firstName: 'Ada', lastName: 'known', city: 'Fresno' },
      { email: 'same@example.com', companyName: 'Analytical Engines', source: 'Mployer' },
      { email: 'new@example.com' },
    ]);
  });

  it('changes nothing more when it is done again', async () => {
    const { mployer, crm } = makeMocks();
    await mployer.login('ada@example.com', 'secret');
    const { results } = await mployer.searchContacts({});
    const { contacts } = await mployer.extractContacts(results);
    await mployer.addToGoHighLevel(contacts, crm.client);
    const before = crm.contacts();
    const again = await mployer.addToGoHighLevel(contacts, crm.client);
    expect(again.skipped).toBe(contacts.length);
    expect(crm.contacts()).toEqual(before);
  });

  it('keeps going when one fails, and says why', async () => {
    const { mployer, crm } = makeMocks();
    const report = await mployer.addToGoHighLevel(
      [person('one'), person('two', { email: 'nonsense' }), person('three')],
      crm.client,
    );
    expect(report).toMatchObject({ created: 2, failed: 1 });
    expect(report.transfers[1]).toMatchObject({
      status: 'failed',
      error: { code: 'MOCKS_VALIDATION_FAILED', retryable: false, effect: 'none' },
    });
  });

  it('does not write one person over another who shares the telephone', async () => {
    const { mployer, crm } = makeMocks();
    const phone = '+12125550142';
    const report = await mployer.addToGoHighLevel(
      [person('one', { phone }), person('two', { phone })],
      crm.client,
    );
    expect(report.transfers[1]).toMatchObject({
      status: 'failed',
      error: { code: 'MOCKS_CONFLICT' },
    });
    expect(crm.contacts()).toMatchObject([{ email: 'one@example.com', phone }]);
  });

  it('joins an address to the contact that has the telephone and no address', async () => {
    const { mployer, crm } = makeMocks();
    const phone = '+12125550142';
    const { id } = await crm.client.createContact({ phone });
    const report = await mployer.addToGoHighLevel([person('one', { phone })], crm.client);
    expect(report.transfers).toMatchObject([{ status: 'updated', contactId: id }]);
    expect(crm.contacts()).toMatchObject([{ email: 'one@example.com', phone }]);
  });

  it('never creates anybody twice, whatever is lost on the way and however often it is done', () =>
    fc.assert(
      fc.asyncProperty(fc.integer(), fc.integer({ min: 1, max: 4 }), async (seed, times) => {
        const faults = [fault('*', 408, 0.3), fault('*', 429, 0.2)];
        const { mployer, crm } = makeMocks({ seed, faults });
        const people = ['a', 'b', 'c', 'a'].map((id) => person(id));
        for (let n = 0; n < times; n += 1) {
          const { transfers } = await mployer.addToGoHighLevel(people, crm.client);
          const known = new Map(crm.contacts().map(({ id, email }) => [id, email]));
          for (const one of transfers.filter((transfer) => 'contactId' in transfer)) {
            expect(known.get(one.contactId)).toBe(one.contact.email);
          }
        }
        const addresses = crm.contacts().map(({ email }) => email);
        expect(new Set(addresses).size).toBe(addresses.length);
      }),
    ));

  it('counts a creation whose answer was lost as done when the contact is there', async () => {
    const { mployer, crm } = makeMocks({ faults: [fault('contacts.create', 408, 1)] });
    const people = Array.from({ length: 40 }, (_, n) => person(`p${n}`));
    const { created, failed } = await mployer.addToGoHighLevel(people, crm.client);
    expect(created).toBe(crm.contacts().length);
    expect(created).toBeGreaterThan(0);
    expect(failed).toBe(40 - created);
  });

  it('looks for a creation that was refused with 422, for the contact may be there all the same', async () => {
    const stored: FaultRule = {
      match: { operation: 'contacts.create' },
      kind: 'commitThenFail',
      status: 422,
      when: { nth: [1] },
    };
    const { mployer, crm } = makeMocks({ faults: [stored] });
    const report = await mployer.addToGoHighLevel([person('one')], crm.client);
    expect(report).toMatchObject({ created: 1, failed: 0 });
    expect(report.transfers).toMatchObject([{ contactId: crm.contacts()[0]?.id }]);

    const refused = makeMocks({ faults: [fault('contacts.create', 422, 1)] });
    const none = await mployer.addToGoHighLevel([person('one')], refused.crm.client);
    expect(none).toMatchObject({ created: 0, failed: 1 });
    expect(refused.crm.contacts()).toHaveLength(0);
  });

  it('does not claim that nothing happened when it could not look', async () => {
    const lookUp = { operation: 'contacts.duplicate' };
    const { mployer, crm } = makeMocks({
      faults: [
        fault('contacts.create', 408, 1),
        { match: lookUp, kind: 'status', status: 503, when: { nth: [2] } },
      ],
    });
    const report = await mployer.addToGoHighLevel([person('one')], crm.client);
    expect(report.transfers).toMatchObject([
      { status: 'failed', error: { code: 'MOCKS_TIMEOUT', effect: 'unknown' } },
    ]);
  });

  it('has no more people on their way than it may, and reports the same whatever that number is', async () => {
    const people = Array.from({ length: 12 }, (_, n) => person(`p${n % 9}`));
    const reports = [];
    for (const concurrency of [1, 3, 12]) {
      const clock = new ManualClock();
      const crm = createGoHighLevelMock({ latency: { medianMs: 100, sigma: 0 } }, { clock });
      const { mployer } = makeMocks();
      reports.push(
        await clock.run(() => mployer.addToGoHighLevel(people, crm.client, { concurrency })),
      );
      // A look-up and a creation for each of nine people; three of them are looked up once more.
      const callsInARow = clock.monotonic() / 100;
      expect(callsInARow).toBeGreaterThanOrEqual((9 * 2 + 3) / concurrency);
      expect(callsInARow).toBeLessThanOrEqual((9 * 2 + 3) / concurrency + 3);
    }
    const [first, ...others] = reports;
    expect(first).toMatchObject({ created: 9, skipped: 3 });
    for (const other of others) expect(other).toEqual(first);
  });

  it('stops with the reason of the signal when it is aborted', async () => {
    const clock = new ManualClock();
    const crm = createGoHighLevelMock({ latency: { medianMs: 100, sigma: 0 } }, { clock });
    const controller = new AbortController();
    const { mployer } = makeMocks();
    const adding = mployer.addToGoHighLevel(
      ['one', 'two', 'three'].map((id) => person(id)),
      crm.client,
      { signal: controller.signal, concurrency: 1 },
    );
    await clock.advance(320); // into the search for the second
    controller.abort(new Error('enough'));
    await expect(adding).rejects.toThrow('enough');
    expect(crm.contacts()).toHaveLength(1);
  });

  it('names each contact`s part of the work in the journal', async () => {
    const { mployer, crm } = makeMocks();
    const key = { idempotencyKey: 'task-7' };
    await mployer.addToGoHighLevel([person('one'), person('two')], crm.client, key);
    const keys = crm.journal.entries('contacts.create').map((entry) => entry.idempotencyKey);
    expect(keys).toEqual(['task-7/one', 'task-7/two']);
  });
});
