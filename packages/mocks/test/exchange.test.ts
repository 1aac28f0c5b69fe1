import { ManualClock } from '@buddy/core';
import { createGoHighLevelMock, createGraphMailMock, createMployerMock } from '@buddy/mocks';
import { describe, expect, it } from 'vitest';

const HUNDRED_MS = { medianMs: 100, sigma: 0 } as const;

describe('the latency of a mock', () => {
  it('passes on the clock, and costs no real time on a manual one', async () => {
    const clock = new ManualClock();
    const { client } = createGoHighLevelMock(
      { latency: { medianMs: 3_600_000, sigma: 0 } },
      { clock },
    );
    await clock.run(() => client.testConnection());
    expect(clock.monotonic()).toBe(3_600_000);
  });

  it('is lognormal: half of the calls below the median, 95 % within two sigma', async () => {
    const clock = new ManualClock();
    const latency = { medianMs: 1_000, sigma: 0.5 };
    const { client, journal } = createGoHighLevelMock({ seed: 23, latency }, { clock });
    await clock.run(() =>
      Promise.all(Array.from({ length: 2_000 }, () => client.testConnection())),
    );
    const logs = journal
      .entries()
      .map((entry) => Math.log((entry.endedAt - entry.startedAt) / 1_000));
    const share = (fits: (log: number) => boolean) => logs.filter(fits).length / logs.length;
    expect(share((log) => log < 0)).toBeCloseTo(0.5, 1);
    expect(share((log) => Math.abs(log) < 1.96 * 0.5)).toBeCloseTo(0.95, 1);
    expect(share((log) => Math.abs(log) < 0.5)).toBeCloseTo(0.683, 1);
  });

  it('is a fraction of a second by default, for every operation another', async () => {
    const clock = new ManualClock();
    const { client, journal } = createGoHighLevelMock({}, { clock });
    await clock.run(async () => {
      for (let n = 0; n < 100; n += 1) await client.listContacts();
    });
    const durations = journal.entries().map((entry) => entry.endedAt - entry.startedAt);
    expect(new Set(durations).size).toBeGreaterThan(50);
    const mean = durations.reduce((sum, ms) => sum + ms, 0) / durations.length;
    expect(mean).toBeGreaterThan(120);
    expect(mean).toBeLessThan(400);
  });

  it('is fixed by the seed, whatever else is called', async () => {
    expect(await durationsOfGets(20)).toEqual(await durationsOfGets(0));
  });
});

describe('an aborted call to a mock', () => {
  it('rejects with the reason of the signal, at once', async () => {
    const clock = new ManualClock();
    const { client, journal } = createGoHighLevelMock({ latency: HUNDRED_MS }, { clock });
    const controller = new AbortController();
    const reason = new Error('nobody waits any more');
    const call = client.testConnection({ signal: controller.signal });
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    expect(journal.entries()).toMatchObject([{ outcome: 'aborted', isCarriedOut: false }]);
  });

  it('does not begin when the signal is aborted already', async () => {
    const { client, journal } = createGoHighLevelMock({ latency: 'none' });
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(client.createContact({ name: 'Ada' }, { signal })).rejects.toThrow('too late');
    expect(journal.total).toBe(0);
  });

  it.each([
    [40, 0],
    [60, 1],
  ])(
    'after %i of 100 ms has left %i contacts behind: it was on its way there, or back',
    async (abortAfterMs, left) => {
      const clock = new ManualClock();
      const { client, contacts, journal } = createGoHighLevelMock(
        { latency: HUNDRED_MS },
        { clock },
      );
      const controller = new AbortController();
      const call = client.createContact({ name: 'Ada' }, { signal: controller.signal });
      await clock.advance(abortAfterMs);
      controller.abort();
      await expect(call).rejects.toThrow('This operation was aborted');
      expect(contacts()).toHaveLength(left);
      expect(journal.entries()).toMatchObject([{ outcome: 'aborted', isCarriedOut: left === 1 }]);
    },
  );

  it.each([
    ['Mployer', () => everyMployerMethod],
    ['GoHighLevel', () => everyGoHighLevelMethod],
    ['Graph', () => everyGraphMethod],
  ])('is possible with every method of the %s client', async (_name, methods) => {
    const signal = AbortSignal.abort(new Error('stop'));
    for (const method of methods()(signal)) await expect(method()).rejects.toThrow('stop');
  });
});

describe('a call under way when its mock is', () => {
  it.each([
    ['on its way there', 40, { code: 'MOCKS_NETWORK_FAILED' }],
    ['on its way back', 60, { name: 'Ada' }],
  ])('reset leaves nothing behind, %s', async (_where, afterMs, answer) => {
    const clock = new ManualClock();
    const mock = createGoHighLevelMock({ latency: HUNDRED_MS }, { clock });
    const call = mock.client.createContact({ name: 'Ada' }).catch((error: unknown) => error);
    await clock.advance(afterMs);
    mock.reset();
    await clock.advance(100);
    const seen = await call;
    expect(seen).toMatchObject(answer);
    expect([mock.contacts(), mock.journal.total]).toEqual([[], 0]);
    await clock.run(() => mock.client.createContact({ name: 'Bob' }));
    expect(mock.journal.entries().map(({ requestId }) => requestId)).toEqual([
      'gohighlevel-contacts.create-1',
    ]);
  });

  it('brought back to a snapshot is lost, and says so in the journal', async () => {
    const clock = new ManualClock();
    const mock = createGoHighLevelMock({ latency: HUNDRED_MS }, { clock });
    const snapshot = mock.snapshot();
    const call = mock.client.createContact({ name: 'Ada' });
    await clock.advance(40);
    mock.restore(snapshot);
    await Promise.all([
      expect(call).rejects.toMatchObject({ code: 'MOCKS_NETWORK_FAILED' }),
      clock.advance(100),
    ]);
    expect(mock.contacts()).toEqual([]);
    expect(mock.journal.entries()).toMatchObject([{ outcome: 'lost', isCarriedOut: false }]);
  });
});

describe('the journal of a mock', () => {
  it('tells what was called, when, and what became of it', async () => {
    const clock = new ManualClock(1_000_000);
    const { client, journal, contacts } = createGoHighLevelMock({ latency: HUNDRED_MS }, { clock });
    await clock.run(async () => {
      await client.createContact({ email: 'ada@example.com' }, { idempotencyKey: 'task-7' });
      await client.createContact({ email: 'ada@example.com' }).catch(() => undefined);
    });
    expect(journal.entries()).toMatchObject([
      {
        operation: 'contacts.create',
        n: 1,
        requestId: 'gohighlevel-contacts.create-1',
        idempotencyKey: 'task-7',
        startedAt: 1_000_000,
        endedAt: 1_000_100,
        outcome: 'answered',
        isCarriedOut: true,
        request: { method: 'POST', path: '/contacts/', body: { email: 'ada@example.com' } },
        response: { status: 201, body: { contact: { email: 'ada@example.com' } } },
        changes: [{ kind: 'created', what: 'contact', id: contacts()[0]?.id }],
      },
      {
        operation: 'contacts.create',
        n: 2,
        requestId: 'gohighlevel-contacts.create-2',
        startedAt: 1_000_100,
        endedAt: 1_000_200,
        outcome: 'refused',
        isCarriedOut: false,
        response: { status: 400, body: { meta: { contactId: contacts()[0]?.id } } },
        changes: [],
      },
    ]);
  });

  it('names the fault that was put in place of an answer', async () => {
    const faults = [
      { match: { operation: '*' }, kind: 'status', status: 429, when: { rate: 1 } } as const,
    ];
    const { client, journal } = createGoHighLevelMock({ latency: 'none', faults });
    await expect(client.testConnection()).rejects.toMatchObject({ status: 429 });
    expect(journal.entries()).toMatchObject([
      {
        outcome: 'refused',
        response: { status: 429 },
        fault: { kind: 'status', status: 429 },
      },
    ]);
  });

  it('keeps the latest calls only, oldest first, and counts them all', async () => {
    const { client, journal } = createGoHighLevelMock({ latency: 'none', journalSize: 3 });
    const numbers = () => journal.entries().map(({ n }) => n);
    await client.testConnection();
    await client.testConnection();
    expect(numbers()).toEqual([1, 2]);
    for (let n = 3; n <= 8; n += 1) await client.testConnection();
    expect(numbers()).toEqual([6, 7, 8]);
    expect(journal.total).toBe(8);
    expect(journal.entries('contacts.get')).toEqual([]);
  });

  it('may keep nothing', async () => {
    const { client, journal } = createGoHighLevelMock({ latency: 'none', journalSize: 0 });
    await client.testConnection();
    expect(journal.entries()).toEqual([]);
    expect(journal.total).toBe(1);
  });

  it('holds no password and no token', async () => {
    const { client, journal } = createMployerMock({ latency: 'none' });
    const { session } = await client.login('ada@example.com', 'correct horse');
    await client.searchContacts({});
    await client.login('ada@example.com', '').catch(() => undefined);
    const written = JSON.stringify(journal.entries());
    expect(journal.total).toBe(3);
    for (const secret of ['correct horse', session.token]) {
      expect(written).not.toContain(secret);
    }
  });
});

/** How long five calls take beside others, in ms, in order of size. */
async function durationsOfGets(others: number): Promise<number[]> {
  const clock = new ManualClock();
  const { client, journal } = createGoHighLevelMock({ seed: 7 }, { clock });
  await clock.run(() =>
    Promise.allSettled([
      ...Array.from({ length: others }, () => client.listContacts()),
      ...Array.from({ length: 5 }, () => client.getContact('nobody')),
    ]),
  );
  return journal
    .entries('contacts.get')
    .map((entry) => entry.endedAt - entry.startedAt)
    .toSorted((a, b) => a - b);
}

function everyMployerMethod(signal: AbortSignal) {
  const { client } = createMployerMock({ latency: 'none' });
  const crm = createGoHighLevelMock({ latency: 'none' }).client;
  return [
    () => client.login('ada@example.com', 'secret', { signal }),
    () => client.searchContacts({}, { signal }),
    () => client.extractContacts([], { signal }),
    () => client.addToGoHighLevel([], crm, { signal }),
    () => client.logout({ signal }),
  ];
}

function everyGoHighLevelMethod(signal: AbortSignal) {
  const { client } = createGoHighLevelMock({ latency: 'none' });
  return [
    () => client.createContact({ name: 'Ada' }, { signal }),
    () => client.searchContact({ email: 'ada@example.com' }, { signal }),
    () => client.updateContact('nobody', {}, { signal }),
    () => client.getContact('nobody', { signal }),
    () => client.listContacts({}, { signal }),
    () => client.deleteContact('nobody', { signal }),
    () => client.testConnection({ signal }),
  ];
}

function everyGraphMethod(signal: AbortSignal) {
  const { client } = createGraphMailMock({ latency: 'none' });
  const body = { contentType: 'text', content: '' } as const;
  return [
    () => client.sendEmail({ toRecipients: [], subject: '', body }, { signal }),
    () => client.getMessages({}, { signal }),
    () => client.readMessage('nobody', { signal }),
    () => client.searchMessages('x', {}, { signal }),
    () => client.deleteMessage('nobody', { signal }),
    () => client.replyToMessage('nobody', '', { signal }),
    () => client.testConnection({ signal }),
  ];
}
