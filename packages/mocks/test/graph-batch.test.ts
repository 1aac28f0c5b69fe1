import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openWire } from './graph/wire.ts';

/** Many runs, on a machine that may be busy. */
const SLOW = { timeout: 30_000 };

const JSON_TYPE = { 'Content-Type': 'application/json' };

const BatchAnswer = z.object({
  responses: z.array(
    z.object({
      id: z.string(),
      status: z.int(),
      headers: z.record(z.string(), z.string()),
      body: z.looseObject({}).optional(),
    }),
  ),
});

function openBatch(...input: Parameters<typeof openWire>) {
  const wire = openWire(...input);
  return {
    ...wire,
    batch: async (requests: readonly object[]) => {
      const { status, body } = await wire.send('POST', '/v1.0/%24batch', { body: { requests } });
      if (status !== 200) return { status, steps: [] };
      return { status, steps: BatchAnswer.parse(body).responses };
    },
  };
}

/** Refuses every call of an operation. */
function refusing(operation: string) {
  return openBatch({
    faults: [{ match: { operation }, kind: 'status', status: 429, when: { rate: 1 } }],
  });
}

describe('a batch', () => {
  it('answers each step with its own status, headers and body', async () => {
    const { batch, mock } = openBatch();
    const id = mock.messages()[0]?.id;
    const { steps } = await batch([
      { id: 'a', method: 'GET', url: '/me/messages?$select=subject&%24top=1' },
      { id: 'b', method: 'GET', url: '/v1.0/me' },
      { id: 'c', method: 'GET', url: 'me/mailFolders/inbox' },
      {
        id: 'd',
        method: 'POST',
        url: `/me/messages/${id}/move`,
        headers: JSON_TYPE,
        body: { destinationId: 'archive' },
      },
      { id: 'e', method: 'DELETE', url: '/me/messages/AAMkNobodyHasThisOne=' },
      { id: 'f', method: 'GET', url: '/me/messages', headers: { Prefer: 'IdType="ImmutableId"' } },
      { id: 'g', method: 'POST', url: '/$batch', headers: JSON_TYPE, body: { requests: [] } },
    ]);
    expect(steps.map(({ id: step, status }) => [step, status])).toEqual([
      ['a', 200],
      ['b', 200],
      ['c', 200],
      ['d', 201],
      ['e', 404],
      ['f', 200],
      ['g', 400],
    ]);
    expect(steps[3]?.headers['Location']).toMatch(/^https:\/\/graph\.microsoft\.com\/v1\.0\/users/);
    expect(steps[4]?.body).toMatchObject({ error: { code: 'ErrorItemNotFound' } });
    expect(steps[5]?.headers['Preference-Applied']).toBe('IdType="ImmutableId"');
    expect(mock.messages('archive')).toHaveLength(1);
  });

  it('gives no body and no content type where there is none', async () => {
    const { batch, mock } = openBatch();
    const { steps } = await batch([
      { id: '1', method: 'DELETE', url: `/me/messages/${mock.messages()[0]?.id}` },
    ]);
    expect(steps).toMatchObject([{ id: '1', status: 204 }]);
    expect(steps[0]).not.toHaveProperty('body');
    expect(steps[0]?.headers).not.toHaveProperty('Content-Type');
  });

  it('does not do what depends on a step that failed, however far away', async () => {
    const { batch, mock } = openBatch();
    const id = mock.messages()[0]?.id;
    const { steps } = await batch([
      { id: 'last', method: 'DELETE', url: `/me/messages/${id}`, dependsOn: ['middle'] },
      { id: 'middle', method: 'GET', url: '/me', dependsOn: ['first'] },
      { id: 'first', method: 'GET', url: '/me/messages/AAMkNobodyHasThisOne=' },
      { id: 'other', method: 'GET', url: '/me' },
    ]);
    expect(new Map(steps.map(({ id: step, status }) => [step, status]))).toEqual(
      new Map([
        ['first', 404],
        ['middle', 424],
        ['last', 424],
        ['other', 200],
      ]),
    );
    expect(mock.messages('inbox')).toHaveLength(5);
  });

  it.each([
    ['nothing', []],
    ['no list', {}],
    ['21 steps', Array.from({ length: 21 }, (_, n) => ({ id: `${n}`, method: 'GET', url: '/me' }))],
    [
      'an id twice',
      [
        { id: '1', method: 'GET', url: '/me' },
        { id: '1', method: 'GET', url: '/me' },
      ],
    ],
    ['a step that depends on none', [{ id: '1', method: 'GET', url: '/me', dependsOn: ['2'] }]],
    ['a step that depends on itself', [{ id: '1', method: 'GET', url: '/me', dependsOn: ['1'] }]],
    [
      'a circle',
      [
        { id: '1', method: 'GET', url: '/me', dependsOn: ['2'] },
        { id: '2', method: 'GET', url: '/me', dependsOn: ['1'] },
      ],
    ],
    ['a body of no type', [{ id: '1', method: 'POST', url: '/me/messages', body: {} }]],
  ])('with %s is refused as a whole', async (_what, requests) => {
    const { send, mock } = openBatch();
    const { status } = await send('POST', '/v1.0/$batch', { body: { requests } });
    expect(status).toBe(400);
    expect(mock.messages()).toHaveLength(5);
  });

  it('counts each step against the limits', SLOW, async () => {
    const { batch, send } = openBatch({ faults: 'real-limits' });
    const twenty = Array.from({ length: 20 }, (_, n) => ({
      id: `${n}`,
      method: 'GET',
      url: '/me',
    }));
    for (let n = 0; n < 499; n += 1) await batch(twenty);
    for (let n = 0; n < 15; n += 1) await send('GET', '/v1.0/me');
    const { status, steps } = await batch(twenty);
    expect(status).toBe(200);
    const refused = steps.filter((step) => step.status === 429);
    expect(refused).toHaveLength(15);
    expect(refused[0]?.headers['Retry-After']).toMatch(/^\d+$/);
  });

  it('runs every step after those it depends on, and answers each once', SLOW, () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat(18), { maxLength: 3 }), { minLength: 1, maxLength: 19 }),
        fc.infiniteStream(fc.boolean()),
        async (graph, outcomes) => {
          const { batch } = openBatch();
          const steps = graph.map((before, n) => ({
            id: `${n}`,
            method: 'GET',
            url: outcomes.next().value ? '/me' : '/me/messages/AAMkNobodyHasThisOne=',
            dependsOn: [...new Set(before.filter((one) => one < n))].map(String),
          }));
          const answer = await batch(steps.toReversed());
          const order = answer.steps.map(({ id }) => id);
          expect(order.toSorted()).toEqual(steps.map(({ id }) => id).toSorted());
          const status = new Map(answer.steps.map((step) => [step.id, step.status]));
          for (const { id, dependsOn, url } of steps) {
            for (const one of dependsOn) expect(order.indexOf(one)).toBeLessThan(order.indexOf(id));
            const isBlocked = dependsOn.some((one) => status.get(one) !== 200);
            expect(status.get(id)).toBe(isBlocked ? 424 : url === '/me' ? 200 : 404);
          }
        },
      ),
      { numRuns: 50 },
    ),
  );

  it('is one call to the fault rules: those of its steps never strike, its own strike all', async () => {
    const steps = [
      {
        id: '1',
        method: 'POST',
        url: '/me/sendMail',
        headers: JSON_TYPE,
        body: { message: { toRecipients: [{ emailAddress: { address: 'grace@example.com' } }] } },
      },
    ];
    const untouched = refusing('mail.send');
    expect((await untouched.batch(steps)).steps.map(({ status }) => status)).toEqual([202]);
    expect(untouched.mock.journal.entries().map(({ operation }) => operation)).toEqual(['batch']);
    const struck = refusing('batch');
    expect((await struck.batch(steps)).status).toBe(429);
    expect(struck.mock.messages('sentitems')).toHaveLength(0);
  });
});
