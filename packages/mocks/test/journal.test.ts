import { createRequire } from 'node:module';
import { ManualClock } from '@buddy/core';
import type { FaultRule } from '@buddy/mocks';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import harSchemas from 'har-schema';
import { describe, expect, it, vi } from 'vitest';
import { impatientClock } from './notes/impatient-clock.ts';
import { createNotesMock, type NotesMock } from './notes/notes-mock.ts';
import { EVERY_WAY, inProcess, type Way } from './notes/ways.ts';

vi.setConfig({ testTimeout: 60_000 }); // hundreds of requests over sockets, on a machine that may be busy

describe('the journal', () => {
  it('tells what was asked and answered, when, and what it did', async () => {
    const clock = new ManualClock(1_000_000);
    const mock = createNotesMock({ latency: { medianMs: 100, sigma: 0 } }, clock);
    await clock.run(() =>
      on(mock, { method: 'POST', path: '/notes?draft=1', body: { text: 'milk' } }),
    );
    expect(mock.journal.entries()).toEqual([
      {
        provider: 'mployer',
        operation: 'notes.create',
        n: 1,
        requestId: 'mployer-notes.create-1',
        startedAt: 1_000_000,
        endedAt: 1_000_100,
        outcome: 'answered',
        isCarriedOut: true,
        request: {
          method: 'POST',
          path: '/notes',
          query: 'draft=1',
          headers: { 'content-type': 'application/json' },
          body: { text: 'milk' },
        },
        response: {
          status: 201,
          headers: { 'content-type': 'application/json; charset=utf-8', 'x-notes': 'yes' },
          body: { id: 'note-1', text: 'milk', token: '[redacted:token]' },
        },
        changes: [{ kind: 'created', what: 'note', id: 'note-1' }],
      },
    ]);
  });

  it('holds no password, token, cookie or key, in bodies, headers or addresses', async () => {
    const mock = createNotesMock();
    const url = 'https://api.mployer.example/notes?access_token=tok-query-0123456789';
    const secrets = [
      'hunter2',
      'pit-0123456789',
      'sid-0123456789',
      'tok-query-0123456789',
      'Zm9vYmFyYmF6',
    ];
    await mock.fetch(
      new Request(url, {
        method: 'POST',
        headers: {
          authorization: 'Bearer pit-0123456789',
          cookie: 'session=sid-0123456789',
          'content-type': 'application/json',
        },
        body: JSON.stringify({ text: 'milk', password: 'hunter2' }),
      }),
    );
    const shown = [
      JSON.stringify(mock.journal.entries()),
      mock.journal.toNdjson(),
      JSON.stringify(mock.journal.toHar()),
    ].join();
    expect(shown).toContain('[redacted:password]');
    for (const secret of secrets) expect(shown).not.toContain(secret);
  });

  it.each([
    ['a form', new URLSearchParams(GRANT)],
    ['JSON', JSON.stringify(GRANT)],
    ['a form that is called text', new Blob([new URLSearchParams(GRANT).toString()])],
  ])('holds nothing that proves who asks for a token, sent as %s', async (_what, body) => {
    const mock = createNotesMock();
    const url = `https://api.mployer.example/oauth/token?state=s-1&c%6Fde=${PROOF}`;
    await mock.fetch(new Request(url, { method: 'POST', body }));
    const [entry] = mock.journal.entries();
    expect(entry?.request.query).toBe('state=s-1&code=[redacted:code]');
    const shown = [
      JSON.stringify(entry),
      mock.journal.toNdjson(),
      JSON.stringify(mock.journal.toHar()),
    ].join();
    expect(shown).toContain('authorization_code');
    expect(shown).toContain('[redacted:code-verifier]');
    expect(shown).not.toContain(PROOF);
  });

  it('shows a code that says what went wrong', async () => {
    const mock = createNotesMock();
    await on(mock, { method: 'POST', path: '/notes', body: { text: 'milk', code: 'E7' } });
    expect(mock.journal.entries()).toMatchObject([{ request: { body: { code: 'E7' } } }]);
  });

  it('keeps the latest calls only, oldest first, and counts them all', async () => {
    const mock = createNotesMock({ journalSize: 3 });
    for (let n = 1; n <= 8; n += 1) {
      await on(mock, { method: 'GET', path: '/notes' });
      expect(mock.journal.entries().at(-1)?.n).toBe(n);
      expect(mock.journal.entries()).toHaveLength(Math.min(n, 3));
    }
    expect(mock.journal.entries().map(({ n }) => n)).toEqual([6, 7, 8]);
    expect(mock.journal.total).toBe(8);
    mock.journal.clear();
    expect([mock.journal.entries(), mock.journal.total]).toEqual([[], 0]);
  });

  it('may keep nothing', async () => {
    const mock = createNotesMock({ journalSize: 0 });
    await on(mock, { method: 'GET', path: '/notes' });
    expect([mock.journal.entries(), mock.journal.total]).toEqual([[], 1]);
  });

  it('leaves very long bodies out', async () => {
    const mock = createNotesMock();
    await on(mock, { method: 'POST', path: '/notes', body: { text: 'm'.repeat(100_000) } });
    const [entry] = mock.journal.entries();
    expect(entry?.request.body).toBe('[not kept: 100011 characters]');
    expect(JSON.stringify(entry).length).toBeLessThan(2_000);
  });

  it.each<[string, (long: string) => Request]>([
    ['paths', (long) => new Request(`https://api.mployer.example/notes/${long}`)],
    ['queries', (long) => new Request(`https://api.mployer.example/notes?a=${long}`)],
    ['headers', (long) => new Request('https://api.mployer.example/notes', { headers: { long } })],
  ])('keeps fewer calls when their %s are long', async (_what, requestOf) => {
    const mock = createNotesMock();
    await on(mock, { method: 'POST', path: '/notes', body: { text: 'milk' } });
    const request = requestOf('x'.repeat(2 ** 20));
    for (let n = 1; n <= 20; n += 1) await mock.fetch(request);
    expect(mock.journal.entries('notes.create')).toHaveLength(1);
    for (let n = 21; n <= 70; n += 1) await mock.fetch(request);
    expect(mock.journal.entries('notes.create')).toEqual([]);
  });

  it('names the piece of work by the header that the client sent', async () => {
    const mock = createNotesMock();
    const headers = { 'idempotency-key': 'task-7' };
    await mock.fetch(new Request('https://api.mployer.example/notes', { headers }));
    expect(mock.journal.entries()).toMatchObject([{ idempotencyKey: 'task-7' }]);
  });

  it('is the same, byte for byte, whatever the calls came over', async () => {
    const journals = new Map<string, readonly [ndjson: string, har: string]>();
    for (const way of EVERY_WAY) journals.set(way.name, await journalOf(way, 7));
    const [first, ...others] = journals;
    expect(first?.[1][0].split('\n').length).toBeGreaterThan(60);
    for (const [name, journal] of others)
      expect({ name, journal }).toEqual({ name, journal: first?.[1] });
    const [another] = await journalOf(inProcess, 8);
    expect(another).not.toBe(first?.[1][0]);
  });

  it('can be written as lines of JSON', async () => {
    const [ndjson] = await journalOf(inProcess, 7);
    const lines = ndjson
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(lines[0]).toMatchObject({
      provider: 'mployer',
      operation: 'notes.create',
      request_id: 'mployer-notes.create-1',
      started_at: '2026-01-01T00:00:00.000Z',
      is_carried_out: true,
    });
  });

  it('can be written as an HTTP archive that fits HAR 1.2', async () => {
    const [, har] = await journalOf(inProcess, 7);
    const ajv = new Ajv({ strict: false });
    addFormats.default(ajv);
    ajv.addMetaSchema(createRequire(import.meta.url)('ajv/dist/refs/json-schema-draft-06.json'));
    for (const schema of Object.values(harSchemas)) ajv.addSchema({ ...schema });
    const isValid = ajv.validate('har.json#', JSON.parse(har));
    expect(ajv.errors ?? []).toEqual([]);
    expect(isValid).toBe(true);
    expect(har).toContain('https://api.mployer.example/notes');
  });
});

describe('what is expected of a journal', () => {
  it('is met by calls that were made so', async () => {
    const { journal } = await threeNotes();
    const expectAll = () => {
      journal
        .expect('notes.create')
        .times(3)
        .withBody({ text: 'milk' })
        .with({ query: { at: '2' }, status: 201 })
        .withBody({ text: 'tea', tags: ['hot', 'black'] })
        .inOrder();
      journal.expect('notes.get').times(0);
    };
    expect(expectAll).not.toThrow();
  });

  it.each<[string, (mock: NotesMock) => unknown, string]>([
    [
      'another number of calls',
      ({ journal }) => journal.expect('notes.create').times(2),
      "notes.create was called 3 times, not 2. They were:\n  #1 POST /notes -> 201: { text: 'milk' }",
    ],
    [
      'a body that nobody sent, with the nearest',
      ({ journal }) =>
        journal.expect('notes.create').withBody({ text: 'tee', tags: ['hot', 'black'] }),
      "No call of notes.create had { body: { text: 'tee', tags: [ 'hot', 'black' ] } }. Nearest of 3:\n" +
        "  #3 POST /notes -> 201: body.text is 'tea', not 'tee'\n" +
        "  #1 POST /notes -> 201: body.text is 'milk', not 'tee'; body.tags is undefined, not [ 'hot', 'black' ]",
    ],
    [
      'a list that is longer',
      ({ journal }) => journal.expect('notes.create').withBody({ tags: ['hot'] }),
      "body.tags is [ 'hot', 'black' ], not [ 'hot' ]",
    ],
    [
      'a query that nobody sent',
      ({ journal }) => journal.expect('notes.create').with({ query: { at: '9' } }),
      "query.at is '2', not '9'",
    ],
    [
      'an answer that nobody got',
      ({ journal }) => journal.expect('notes.create').with({ body: { text: 'milk' }, status: 500 }),
      'status is 201, not 500',
    ],
    [
      'another order',
      ({ journal }) =>
        journal
          .expect('notes.create')
          .withBody({ text: 'bread' })
          .withBody({ text: 'milk' })
          .inOrder(),
      "No call of notes.create that had { body: { text: 'milk' } } came after those named before it.",
    ],
    [
      'an operation that nobody called',
      ({ journal }) => journal.expect('notes.get').withBody({}),
      'Never notes.get; called were notes.create (3).',
    ],
    [
      'an operation that does not exist',
      ({ journal }) => journal.expect('notes.crate').times(0),
      'There is no operation notes.crate; there are notes.create, notes.get, notes.list, unknown',
    ],
  ])('is not met by %s', async (_what, expectation, complaint) => {
    const mock = await threeNotes();
    expect(() => expectation(mock)).toThrow(
      expect.objectContaining({
        code: 'MOCKS_EXPECTATION_FAILED',
        message: expect.stringContaining(complaint),
      }),
    );
  });

  it('is nothing where nothing was called', () => {
    const { journal } = createNotesMock();
    expect(() => journal.expect('notes.get').times(1)).toThrow('Nothing was called.');
  });
});

const PROOF = 'once-only-proof';
const GRANT = {
  grant_type: 'authorization_code',
  client_id: 'app-1',
  ...Object.fromEntries(
    ['client_secret', 'code', 'code_verifier', 'password', 'assertion', 'client_assertion'].map(
      (name) => [name, PROOF],
    ),
  ),
};

async function threeNotes(): Promise<NotesMock> {
  const mock = createNotesMock();
  await on(mock, { method: 'POST', path: '/notes', body: { text: 'milk' } });
  await on(mock, { method: 'POST', path: '/notes?at=2', body: { text: 'bread' } });
  await on(mock, { method: 'POST', path: '/notes', body: { text: 'tea', tags: ['hot', 'black'] } });
  return mock;
}

async function on(mock: NotesMock, call: { method: string; path: string; body?: unknown }) {
  const { call: send } = await inProcess.open(mock);
  return send(call);
}

const EVERY_FAULT: readonly FaultRule[] = [
  { match: { operation: '*' }, kind: 'status', status: 503, when: { rate: 0.1 } },
  { match: { operation: '*' }, kind: 'latency', addMs: 333, when: { rate: 0.1 } },
  { match: { operation: '*' }, kind: 'reset', when: { rate: 0.1 } },
  { match: { operation: '*' }, kind: 'truncate', when: { rate: 0.1 } },
  { match: { operation: '*' }, kind: 'slowBody', overMs: 1_001, when: { rate: 0.1 } },
  { match: { operation: '*' }, kind: 'commitThenFail', when: { rate: 0.1 } },
  { match: { operation: '*' }, kind: 'hang', capMs: 77, when: { rate: 0.1 } },
  { match: { operation: '*' }, kind: 'staleRead', when: { rate: 0.1 } },
];

/** The journal of sixty calls made one after the other, with every kind of fault among them. */
async function journalOf(way: Way, seed: number): Promise<[ndjson: string, har: string]> {
  const mock = createNotesMock(
    { seed, faults: [...EVERY_FAULT], latency: 'typical' },
    impatientClock(),
  );
  const { call, close } = await way.open(mock);
  for (let at = 0; at < 20; at += 1) {
    await call({ method: 'POST', path: '/notes', body: { text: `note ${at}` } });
    await call({ method: 'GET', path: `/notes/note-${at}` });
    await call({ method: 'GET', path: '/notes?limit=%2410' });
  }
  await close();
  return [mock.journal.toNdjson(), JSON.stringify(mock.journal.toHar())];
}
