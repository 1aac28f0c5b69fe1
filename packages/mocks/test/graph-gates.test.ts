import { ManualClock } from '@buddy/core';
import {
  createGraphMailClient,
  createGraphMailMock,
  createMailboxGates,
  type GraphMailClientInput,
  type GraphMailClientPorts,
  type MailboxGates,
} from '@buddy/mocks';
import { describe, expect, it } from 'vitest';
import { NOON } from './graph/ways.ts';

const ONE_TRY = { retries: 'none' } as const;
const SALES = { ...ONE_TRY, credentials: { token: 'any' }, user: 'sales@example.com' } as const;
const me = { ...ONE_TRY, credentials: { token: 'mine' } };
const getToken = async () => ({ accessToken: 'any', expiresAt: NOON + 3_600_000 });
const PORTS = { gates: createMailboxGates() };

/** Clients of one server, each 4 calls at once, and how many of them all were under way at the same time. */
async function mostAtOnce(
  ...clients: readonly (readonly [GraphMailClientInput, Partial<GraphMailClientPorts>])[]
) {
  const clock = new ManualClock(NOON);
  let [inside, most] = [0, 0];
  const fetch = async () => {
    inside += 1;
    most = Math.max(most, inside);
    await clock.sleep(100);
    inside -= 1;
    return Response.json({ mail: 'sales@example.com' });
  };
  await clock.run(() =>
    Promise.all(
      clients.flatMap(([input, ports]) => {
        const client = createGraphMailClient(input, { fetch, clock, ...ports });
        return Array.from({ length: 4 }, () => client.testConnection());
      }),
    ),
  );
  return most;
}

describe('the clients of one mailbox', () => {
  it('are 4 calls at once together, so that Graph refuses none', async () => {
    const clock = new ManualClock(NOON);
    const mock = createGraphMailMock(
      {
        mailbox: 'sales@example.com',
        faults: 'real-limits',
        latency: { medianMs: 100, sigma: 0 },
      },
      { clock },
    );
    const gates = createMailboxGates();
    const clients = Array.from({ length: 3 }, () =>
      createGraphMailClient(SALES, { fetch: mock.fetch, clock, gates }),
    );
    await clock.run(() =>
      Promise.all(
        clients.flatMap((client) => Array.from({ length: 6 }, () => client.testConnection())),
      ),
    );
    expect(mock.journal.entries()).toHaveLength(18);
  });

  it('share by default, and with whom they are given the same gates', async () => {
    expect(await mostAtOnce([SALES, {}], [SALES, {}])).toBe(4);
    expect(await mostAtOnce([SALES, PORTS], [SALES, PORTS])).toBe(4);
    const others = { gates: createMailboxGates() };
    expect(await mostAtOnce([SALES, PORTS], [SALES, others])).toBe(8);
    expect(await mostAtOnce([SALES, PORTS], [SALES, {}])).toBe(8);
  });

  it.each<[string, GraphMailClientInput, GraphMailClientPorts, number]>([
    ['the address in other letters', { ...SALES, user: 'Sales@Example.COM' }, {}, 4],
    ['another token', { ...SALES, credentials: { token: 'renewed' } }, {}, 4],
    [
      'another path at the origin',
      { ...SALES, baseUrl: 'https://graph.microsoft.com/beta' },
      {},
      4,
    ],
    ['a getToken', { ...ONE_TRY, user: SALES.user }, { getToken }, 4],
    ['another mailbox', { ...SALES, user: 'info@example.com' }, {}, 8],
    ['another origin', { ...SALES, baseUrl: 'https://graph.example.com/v1.0' }, {}, 8],
    ['me', me, {}, 8],
  ])('are told by origin and user: one with %s', async (_what, input, ports, most) => {
    expect(await mostAtOnce([SALES, PORTS], [input, { ...PORTS, ...ports }])).toBe(most);
  });

  it('are, of me, those with the same token; of a getToken nobody knows', async () => {
    const other = { ...me, credentials: { token: 'yours' } };
    expect(await mostAtOnce([me, PORTS], [me, PORTS])).toBe(4);
    expect(await mostAtOnce([me, PORTS], [other, PORTS])).toBe(8);
    const unknown = [ONE_TRY, { ...PORTS, getToken }] as const;
    expect(await mostAtOnce(unknown, unknown)).toBe(8);
  });

  it('keep each to its own concurrency within', async () => {
    const one = { ...SALES, concurrency: 1 };
    expect(await mostAtOnce([one, PORTS])).toBe(1);
    expect(await mostAtOnce([one, PORTS], [one, PORTS])).toBe(2);
    expect(await mostAtOnce([{ ...SALES, concurrency: 9 }, PORTS], [SALES, PORTS])).toBe(4);
    const wider = { gates: createMailboxGates({ concurrency: 6 }) };
    expect(await mostAtOnce([SALES, wider], [SALES, wider])).toBe(6);
  });

  it('hand no token to the gates', async () => {
    const mailboxes: string[] = [];
    const gates = createMailboxGates();
    const listening: MailboxGates = {
      pass: (mailbox, work, signal) => {
        mailboxes.push(mailbox);
        return gates.pass(mailbox, work, signal);
      },
    };
    await mostAtOnce([me, { gates: listening }]);
    expect(mailboxes).toHaveLength(4);
    expect(mailboxes.join(' ')).not.toContain('mine');
  });

  it('give the place back when a call fails or is aborted while it waits', async () => {
    const gates = createMailboxGates({ concurrency: 1 });
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const holder = gates.pass('a mailbox', () => held);
    const controller = new AbortController();
    const waiting = gates.pass('a mailbox', async () => 'never', controller.signal);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    const failing = gates.pass('a mailbox', async () => Promise.reject(new Error('lost')));
    const last = gates.pass('a mailbox', async () => 'done');
    release();
    await holder;
    await expect(failing).rejects.toThrow('lost');
    expect(await last).toBe('done');
  });

  it('must be let through one at a time at least', () => {
    expect(() => createMailboxGates({ concurrency: 0 })).toThrow(
      expect.objectContaining({ code: 'CORE_INVALID_INPUT' }),
    );
  });
});
