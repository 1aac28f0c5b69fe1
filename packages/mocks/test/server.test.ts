import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import https from 'node:https';
import { connect } from 'node:net';
import tls from 'node:tls';
import { type Clock, createJsonLogger, ManualClock, systemClock } from '@buddy/core';
import {
  createGraphMailMock,
  type MockServerInput,
  type SecureMockServer,
  startMockServer,
} from '@buddy/mocks';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createNotesMock, type NotesMock } from './notes/notes-mock.ts';

vi.setConfig({ testTimeout: 60_000 }); // sockets and thousands of calls, on a machine that may be busy

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

type More = Omit<MockServerInput<'notes'>, 'mocks' | 'https'>;

async function serveNotes(
  mock: NotesMock = createNotesMock(),
  more: More = {},
): Promise<SecureMockServer<'notes'>> {
  const server = await startMockServer({ ...more, mocks: { notes: mock } });
  closing.push(server.close);
  return server;
}

describe('a mock server', () => {
  it('gives every mock ports of its own, on this machine only', async () => {
    const notes = createNotesMock();
    const others = createNotesMock();
    const server = await startMockServer({ mocks: { notes, others } });
    closing.push(server.close);
    await fetch(`${server.url.notes}/notes`);
    expect([notes.journal.total, others.journal.total]).toEqual([1, 0]);
    const addresses = [...Object.values(server.url), ...Object.values(server.httpsUrl)];
    expect(new Set(addresses).size).toBe(4);
    for (const address of Object.values(server.url)) {
      expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    }
    expect(server.httpsUrl.notes).toMatch(/^https:\/\/localhost:\d+$/);
  });

  it('speaks plain HTTP alone when asked to', async () => {
    const server = await startMockServer({ mocks: { notes: createNotesMock() }, https: false });
    closing.push(server.close);
    expect(Object.keys(server).toSorted()).toEqual(['close', 'url']);
    expect((await fetch(`${server.url.notes}/notes`)).status).toBe(200);
  });

  it('tells the provider the origin under which it was called, and the journal the vendor`s', async () => {
    const mock = createNotesMock();
    const server = await serveNotes(mock);
    const answer: unknown = await (await fetch(`${server.url.notes}/notes`)).json();
    expect(answer).toMatchObject({ next: `${server.url.notes}/notes?page=2` });
    expect(mock.journal.entries()).toMatchObject([
      { response: { body: { next: 'https://api.mployer.example/notes?page=2' } } },
    ]);
  });

  it('keeps connections open from one request to the next', async () => {
    const server = await serveNotes();
    const agent = new https.Agent({ ca: server.ca, keepAlive: true, maxSockets: 1 });
    closing.push(async () => agent.destroy());
    const ports: (number | undefined)[] = [];
    for (let n = 0; n < 3; n += 1) {
      await new Promise<void>((resolve, reject) => {
        https
          .get(`${server.httpsUrl.notes}/notes`, { agent }, (response) => {
            ports.push(response.socket.localPort);
            response.resume().on('end', resolve);
          })
          .on('error', reject);
      });
    }
    expect(new Set(ports).size).toBe(1);
  });

  it('refuses a port that is taken, and says which', async () => {
    const server = await serveNotes();
    const port = Number(new URL(server.url.notes).port);
    await expect(
      startMockServer({ port, mocks: { notes: createNotesMock() } }),
    ).rejects.toMatchObject({
      code: 'MOCKS_SERVER_FAILED',
      message: `Port ${port} cannot be listened on; take another, or 0 for any that is free (EADDRINUSE)`,
    });
  });

  it.each<[string, () => Promise<unknown>, string]>([
    [
      'its ports lead beyond the last',
      () => startMockServer({ port: 65_535, mocks: { notes: createNotesMock() } }),
      'Port 65536 cannot be listened on',
    ],
    [
      'it cannot write down whom to trust',
      () => startMockServer({ mocks: { notes: createNotesMock() } }),
      'The certificate cannot be written to /nowhere',
    ],
  ])('does not start when %s, and leaves nothing open', async (_why, start, complaint) => {
    vi.stubEnv('TMPDIR', '/nowhere');
    const before = openServers();
    const error: unknown = await start().catch((reason: unknown) => reason);
    vi.unstubAllEnvs();
    expect(error).toMatchObject({
      code: 'MOCKS_SERVER_FAILED',
      message: expect.stringContaining(complaint),
    });
    await expect.poll(openServers).toBeLessThanOrEqual(before);
  });

  it('refuses options that do not fit', async () => {
    const mocks = { notes: createNotesMock() };
    await expect(startMockServer({ port: 70_000, mocks })).rejects.toThrow('port');
    // @ts-expect-error: a misspelt option
    await expect(startMockServer({ prot: 1, mocks })).rejects.toThrow('prot');
  });

  it('lets requests under way end before it closes', async () => {
    const { clock, asleep, wake } = heldClock();
    const server = await serveNotes(createNotesMock({ latency: { medianMs: 9, sigma: 0 } }, clock));
    const answered = fetch(`${server.url.notes}/notes`);
    await asleep;
    const closed = server.close();
    wake();
    expect((await answered).status).toBe(200);
    await closed;
    await expect(fetch(`${server.url.notes}/notes`)).rejects.toThrow('fetch failed');
  });

  it('waits no longer than it was told for those that do not end', async () => {
    const { clock, asleep } = heldClock();
    const mock = createNotesMock({ latency: { medianMs: 9, sigma: 0 } }, clock);
    const server = await serveNotes(mock, { graceMs: 20 });
    const answered = fetch(`${server.url.notes}/notes`).catch((error: unknown) => error);
    await asleep;
    await server.close();
    expect(await answered).toBeInstanceOf(TypeError);
  });

  it('may be closed twice', async () => {
    const server = await serveNotes();
    await server.close();
    await expect(server.close()).resolves.toBeUndefined();
  });

  it.each(['GET', 'POST'])('answers 500 and logs it when a mock breaks at a %s', async (method) => {
    const logged: unknown[] = [];
    const logger = createJsonLogger({}, { write: (line) => logged.push(JSON.parse(line)) });
    const broken = { ...createNotesMock(), fetch: () => Promise.reject(new RangeError('a bug')) };
    const server = await startMockServer({ mocks: { broken }, https: false }, { logger });
    closing.push(server.close);
    const response = await fetch(`${server.url.broken}/notes`, {
      method,
      ...(method === 'POST' && { body: 'milk' }),
    });
    expect([response.status, await response.json()]).toEqual([
      500,
      { error: { code: 'BuddyMocks', message: 'The mock broke down: a bug' } },
    ]);
    expect(logged).toContainEqual(
      expect.objectContaining({ method, path: '/notes', msg: 'A mock broke down' }),
    );
  });

  it('logs nothing when a connection is lost on purpose', async () => {
    const logged: string[] = [];
    const logger = createJsonLogger({ level: 'error' }, { write: (line) => logged.push(line) });
    const faults = [{ match: { operation: '*' }, kind: 'reset', when: { rate: 1 } } as const];
    const mocks = { notes: createNotesMock({ faults }) };
    const server = await startMockServer({ mocks, https: false }, { logger });
    closing.push(server.close);
    await expect(fetch(`${server.url.notes}/notes`)).rejects.toThrow('fetch failed');
    expect(logged).toEqual([]);
  });
});

describe('what is no proper request', () => {
  it('is told so when it is no HTTP', async () => {
    const server = await serveNotes();
    expect(await rawAnswer(server, 'GARBAGE\r\n\r\n')).toMatch(
      /^HTTP\/1.1 400 [^]*This is not HTTP/,
    );
  });

  it('is told so when its headers are too long', async () => {
    const server = await serveNotes();
    const answer = await rawAnswer(server, `GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 431 [^]*too long/);
  });

  it.each([
    ['without Host', 'GET /notes HTTP/1.0\r\n\r\n', 'Host is missing'],
    [
      'for a proxy',
      'GET http://elsewhere/notes HTTP/1.1\r\nHost: x\r\n\r\n',
      'is no request to an API',
    ],
    [
      'with an impossible Host',
      'GET /notes HTTP/1.1\r\nHost: a b\r\n\r\n',
      'is no request to an API',
    ],
    ['with a method that fetch forbids', 'TRACE /notes HTTP/1.1\r\nHost: x\r\n\r\n', 'TRACE'],
  ])('is refused %s', async (_name, bytes, complaint) => {
    const mock = createNotesMock();
    const server = await serveNotes(mock);
    const answer = await rawAnswer(server, bytes);
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer).toContain(complaint);
    expect(mock.journal.total).toBe(0);
  });

  it('is refused with 413 when its body is too long', async () => {
    const server = await serveNotes(createNotesMock(), { maxBodyBytes: 100 });
    const response = await fetch(`${server.url.notes}/notes`, {
      method: 'POST',
      body: 'x'.repeat(101),
    });
    expect(response.status).toBe(413);
    expect(await response.text()).toContain('longer than 100 bytes');
  });

  it('reaches the provider, which words the refusal, when only its body is wrong', async () => {
    const server = await serveNotes();
    const response = await fetch(`${server.url.notes}/notes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{ text: ',
    });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('a note needs a text, not unreadable');
  });
});

describe('the certificate of a mock server', () => {
  it('is good for localhost, 127.0.0.1 and ::1, for a day, by an authority that signs nothing else', async () => {
    const server = await serveNotes();
    const ca = new X509Certificate(server.ca);
    const leaf = await certificateOf(server);
    expect(leaf.verify(ca.publicKey)).toBe(true);
    expect(leaf.checkIssued(ca)).toBe(true);
    expect(leaf.ca).toBe(false);
    expect(ca.ca).toBe(true);
    expect(ca.verify(ca.publicKey)).toBe(true);
    expect(leaf.checkHost('localhost')).toBe('localhost');
    expect(leaf.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(leaf.checkIP('::1')).toBe('::1');
    expect(leaf.checkHost('example.com')).toBeUndefined();
    expect(leaf.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    const hours = (Date.parse(leaf.validTo) - systemClock.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(23.9);
    expect(hours).toBeLessThanOrEqual(24);
  });

  it('is another every time, and trusted by nobody who was not told', async () => {
    const [first, second] = [await serveNotes(), await serveNotes()];
    expect(first.ca).not.toBe(second.ca);
    await expect(fetch(`${first.httpsUrl.notes}/notes`)).rejects.toThrow('fetch failed');
    await expect(handshake(first, second.ca)).rejects.toThrow('certificate');
    await expect(handshake(first, first.ca)).resolves.toBeUndefined();
  });

  it('lies in a file as long as the server runs', async () => {
    const server = await serveNotes();
    expect(await readFile(server.caFile, 'utf8')).toBe(server.ca);
    await server.close();
    await expect(stat(server.caFile)).rejects.toThrow('ENOENT');
  });
});

describe('the control endpoints', () => {
  const token = 'control-token';

  async function steered(clock: Clock = new ManualClock()) {
    const notes = createNotesMock({ seed: 2 }, clock);
    const others = createNotesMock({}, clock);
    const server = await startMockServer({
      mocks: { notes, others },
      https: false,
      control: { token, clock },
    });
    closing.push(server.close);
    const call = async (method: string, path: string, body?: unknown, bearer = token) => {
      const response = await fetch(`${server.url.others}/__buddy${path}`, {
        method,
        headers: { authorization: `Bearer ${bearer}` },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
      const answer: unknown = isJson ? JSON.parse(text) : text;
      return { status: response.status, body: answer };
    };
    return { notes, others, call, url: server.url };
  }

  it('are for those who know the token, and the providers do not hear of them', async () => {
    const { call, notes, others } = await steered();
    expect(await call('POST', '/reset', undefined, 'guess')).toMatchObject({ status: 401 });
    expect(await call('GET', '')).toEqual({
      status: 200,
      body: {
        notes: { provider: 'mployer', calls: 0, faults: 'none' },
        others: { provider: 'mployer', calls: 0, faults: 'none' },
      },
    });
    expect([notes.journal.total, others.journal.total]).toEqual([0, 0]);
  });

  it('are not there unless asked for', async () => {
    const mock = createNotesMock();
    const server = await serveNotes(mock);
    const response = await fetch(`${server.url.notes}/__buddy/reset`, { method: 'POST' });
    expect([response.status, mock.journal.total]).toEqual([404, 1]);
  });

  it('put faults in force, of one mock or of all, or of none when one of them objects', async () => {
    const { call, notes, others } = await steered();
    const rule = { match: { operation: '*' }, kind: 'reset', when: { rate: 1 } };
    expect(await call('PUT', '/faults?mock=notes', [rule])).toMatchObject({ status: 204 });
    expect([notes.faults.rules, others.faults.rules]).toEqual([[rule], []]);
    expect(await call('GET', '/faults')).toMatchObject({ body: { notes: [rule], others: 'none' } });
    expect(await call('PUT', '/faults', 'storm')).toMatchObject({ status: 204 });
    expect(others.faults.inForce).toBe('storm');
    const wrong = { ...rule, match: { operation: 'notes.burn' } };
    expect(await call('PUT', '/faults', [wrong])).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining('fits no operation') } },
    });
    expect(notes.faults.inForce).toBe('storm');
  });

  it('give a rule that names no provider to those mocks that have its operation', async () => {
    const clock = new ManualClock();
    const mocks = { notes: createNotesMock({}, clock), mail: createGraphMailMock({}, { clock }) };
    const server = await startMockServer({ mocks, https: false, control: { token, clock } });
    closing.push(server.close);
    const rule = { match: { operation: 'mail.*' }, kind: 'reset', when: { rate: 1 } };
    const put = async (query: string) => {
      const response = await fetch(`${server.url.notes}/__buddy/faults${query}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify([rule]),
      });
      return response.status;
    };
    expect(await put('')).toBe(204);
    expect([mocks.notes.faults.rules, mocks.mail.faults.rules]).toEqual([[], [rule]]);
    expect(await put('?mock=notes')).toBe(400);
  });

  it('show, export and clear the journal', async () => {
    const { call, notes, url } = await steered();
    await fetch(`${url.notes}/notes`);
    expect(await call('GET', '/journal?mock=notes&operation=notes.list')).toMatchObject({
      body: { notes: [{ operation: 'notes.list', n: 1 }] },
    });
    expect((await call('GET', '/journal?format=ndjson')).body).toBe(notes.journal.toNdjson());
    expect(await call('GET', '/journal?format=har&mock=notes')).toMatchObject({
      body: { log: { version: '1.2' } },
    });
    expect(await call('GET', '/journal?format=har')).toMatchObject({ status: 400 });
    expect(await call('DELETE', '/journal')).toMatchObject({ status: 204 });
    expect(notes.journal.total).toBe(0);
  });

  it('reset, and take and bring back states', async () => {
    const { call, notes, url } = await steered();
    const write = () =>
      fetch(`${url.notes}/notes`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"text":"milk"}',
      });
    await write();
    const { body: state } = await call('GET', '/state?mock=notes');
    await write();
    expect(await call('PUT', '/state', state)).toMatchObject({ status: 204 });
    expect(notes.snapshot()).toMatchObject({
      calls: { 'notes.create': 1 },
      state: [{ text: 'milk' }],
    });
    const both = { notes: { provider: 'x' }, others: {} };
    expect(await call('PUT', '/state', both)).toMatchObject({ status: 400 });
    expect(await call('POST', '/reset')).toMatchObject({ status: 204 });
    expect(notes.snapshot()).toMatchObject({ calls: {}, state: [] });
  });

  it('tell the time, and move it when it is not the real one', async () => {
    const clock = new ManualClock();
    const { call } = await steered(clock);
    expect(await call('POST', '/clock', { advanceMs: 60_000 })).toEqual({
      status: 200,
      body: { now: '2026-01-01T00:01:00.000Z', canBeAdvanced: true },
    });
    expect(await call('POST', '/clock', { advanceMs: -1 })).toMatchObject({ status: 400 });
    const tooFar = {
      status: 400,
      body: { error: { message: expect.stringContaining('past 9999-12-31') } },
    };
    expect(await call('POST', '/clock', { advanceMs: 1e16 })).toMatchObject(tooFar);
    expect(await call('POST', '/clock', { advanceMs: 8e15 })).toMatchObject(tooFar);
    expect(await call('GET', '/clock')).toMatchObject({
      body: { now: '2026-01-01T00:01:00.000Z' },
    });
    const real = await steered(systemClock);
    expect(await real.call('POST', '/clock', { advanceMs: 1 })).toMatchObject({ status: 409 });
  });

  it.each([
    ['GET', '/everything', undefined, 404],
    ['PATCH', '/faults', undefined, 405],
    ['GET', '/faults?mock=nobody', undefined, 400],
    ['GET', '/journal?format=xml', undefined, 400],
    ['PUT', '/faults', undefined, 400],
  ])('refuse %s %s', async (method, path, body, status) => {
    const { call } = await steered();
    expect(await call(method, path, body)).toMatchObject({
      status,
      body: { error: { code: 'BuddyMocks', message: expect.any(String) } },
    });
  });
});

function openServers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'TCPServerWrap').length;
}

function rawAnswer({ url }: SecureMockServer<'notes'>, bytes: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(Number(new URL(url.notes).port), '127.0.0.1', () => socket.write(bytes));
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString();
  });
  socket.on('close', () => resolve(answer));
  socket.on('error', reject);
  return promise;
}

function handshake({ httpsUrl }: SecureMockServer<'notes'>, ca: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const port = Number(new URL(httpsUrl.notes).port);
  const socket = tls.connect({ host: '127.0.0.1', servername: 'localhost', port, ca }, () => {
    socket.destroy();
    resolve();
  });
  socket.on('error', reject);
  return promise;
}

function certificateOf({ httpsUrl, ca }: SecureMockServer<'notes'>): Promise<X509Certificate> {
  const { promise, resolve, reject } = Promise.withResolvers<X509Certificate>();
  const port = Number(new URL(httpsUrl.notes).port);
  const socket = tls.connect({ host: '127.0.0.1', servername: 'localhost', port, ca }, () => {
    resolve(new X509Certificate(socket.getPeerCertificate().raw));
    socket.destroy();
  });
  socket.on('error', reject);
  return promise;
}

/** A clock on which everybody sleeps until told to wake. */
function heldClock() {
  const fellAsleep = Promise.withResolvers<void>();
  const woken = Promise.withResolvers<void>();
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    sleep: (_ms, signal) => {
      fellAsleep.resolve();
      return new Promise((resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
        void woken.promise.then(resolve);
      });
    },
    external: (work) => work(),
  };
  return { clock, asleep: fellAsleep.promise, wake: woken.resolve };
}
