import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { http, HttpResponse } from 'msw';
import { setupServer } from 'msw/node';
import { z } from 'zod';
import { median } from '../../packages/core/src/index.ts';
import { createGoHighLevelMock, sampleContacts } from '../../packages/mocks/src/index.ts';
import type { Listening } from '../children/mock-server.ts';
import { measureChild } from '../measure/child.ts';
import type { Figure } from '../measure/figure.ts';
import { httpLoad } from '../measure/http-load.ts';
import { type Contender, summary, timeRounds } from '../measure/rounds.ts';

const ORIGIN = 'https://services.leadconnectorhq.com';
const HEADERS = { authorization: 'Bearer pit-buddy-mocks', version: '2021-07-28' };
const CONTACT_ID = sampleContacts({ seed: 1, count: 1 })[0]?.id ?? '';

/** What a call of a mock costs, in the process and over HTTP, beside what others take for a canned answer. */
export async function measureMocks(): Promise<Figure[]> {
  return [
    // First, for MSW leaves much behind that every collection has to walk over.
    ...(await measureSearch()),
    ...(await measureCalls()),
    ...(await measureServers()),
    ...(await measureMemory()),
  ];
}

const CALLS = 200;
const TYPED = 'one contact, typed client';
const FETCH = 'one contact, fetch handler, read as JSON';
const OURS_IN_MSW = 'one contact, over MSW';
const STATIC_IN_MSW = 'MSW 3, a static handler, read as JSON';

async function measureCalls(): Promise<Figure[]> {
  const times = await timeRounds(callContenders, { rounds: 15, warmUps: 5 });
  const usOf = (name: string) => (times.get(name) ?? []).map((ms) => (ms * 1000) / CALLS);
  const toStatic = (name: string) => median(usOf(name)) / median(usOf(STATIC_IN_MSW));
  return [
    ...callContenders.map(({ name, isPeer = false }) => ({
      name,
      unit: 'us',
      ...summary(usOf(name)),
      isPeer,
    })),
    {
      name: 'typed client / MSW static',
      unit: '',
      measured: toStatic(TYPED),
      target: { is: 'at most', value: 1 / 20 },
    },
    {
      name: 'fetch handler / MSW static',
      unit: '',
      measured: toStatic(FETCH),
      target: { is: 'at most', value: 1 / 10 },
    },
    { name: 'over MSW / MSW static', unit: '', measured: toStatic(OURS_IN_MSW) },
  ];
}

const newMock = () => createGoHighLevelMock({ seed: 1, contacts: 1, latency: 'none' });
const newRequest = () => new Request(`${ORIGIN}/contacts/${CONTACT_ID}`, { headers: HEADERS });
const canned = () => ({ contact: sampleContacts({ seed: 1, count: 1 })[0] });

const callContenders: readonly Contender[] = [
  {
    name: TYPED,
    prepare: () => {
      const { client } = newMock();
      return () => repeat(async () => (await client.getContact(CONTACT_ID)).id);
    },
  },
  {
    name: FETCH,
    prepare: () => {
      const mock = newMock();
      return () => repeat(async () => idOf(await (await mock.fetch(newRequest())).json()));
    },
  },
  {
    name: OURS_IN_MSW,
    prepare: () => {
      const mock = newMock();
      // What `mswHandlers` makes, by the MSW that is installed here.
      const msw = setupServer(http.all(`${ORIGIN}/*`, ({ request }) => mock.fetch(request)));
      return () => inMsw(msw);
    },
  },
  {
    name: STATIC_IN_MSW,
    isPeer: true,
    prepare: () => {
      const body = canned();
      return () =>
        inMsw(setupServer(http.get(`${ORIGIN}/contacts/:id`, () => HttpResponse.json(body))));
    },
  },
];

async function inMsw(msw: ReturnType<typeof setupServer>): Promise<void> {
  msw.listen({ onUnhandledFrame: 'error' });
  try {
    await repeat(async () => idOf(await (await fetch(newRequest())).json()));
  } finally {
    msw.close();
  }
}

async function repeat(call: () => Promise<string>): Promise<void> {
  for (let n = 0; n < CALLS; n += 1) {
    const id = await call();
    if (id !== CONTACT_ID) throw new Error(`The contact ${id} was answered`);
  }
}

const Answer = z.object({ contact: z.object({ id: z.string() }) });

function idOf(answer: unknown): string {
  return Answer.parse(answer).contact.id;
}

const SERVERS = ['buddy', 'mockttp', 'prism'] as const;
type ServerName = (typeof SERVERS)[number];

const LABEL: Readonly<Record<ServerName, string>> = {
  buddy: 'a mock server, journal and all',
  mockttp: 'mockttp, a canned answer',
  prism: "Prism, by the vendor's description",
};
const LOAD_ROUNDS = 5;
const START_ROUNDS = 3;
const LOAD = { connections: 8, ms: 1_000 };

async function measureServers(): Promise<Figure[]> {
  const starts = await measureStarts();
  const perSecond = await measureThroughput();
  return [
    ...SERVERS.map((name) => figure(name, '/s', perSecond[name], 'HTTP')),
    {
      name: 'HTTP / Prism',
      unit: '',
      measured: ratio(perSecond, 'prism'),
      target: { is: 'at least', value: 6 },
    },
    {
      name: 'HTTP / mockttp',
      unit: '',
      measured: ratio(perSecond, 'mockttp'),
      target: { is: 'at least', value: 1.2 },
    },
    ...SERVERS.map((name) => figure(name, 'ms', starts[name], 'start')),
    { name: 'start / Prism, both within a process', unit: '', measured: ratio(starts, 'prism') },
    ...(await measureCommands(starts.buddy)),
  ];
}

function figure(name: ServerName, unit: string, values: readonly number[], what: string): Figure {
  return { name: `${what}: ${LABEL[name]}`, unit, ...summary(values), isPeer: name !== 'buddy' };
}

function ratio(values: Readonly<Record<ServerName, readonly number[]>>, peer: ServerName): number {
  return median(values.buddy) / median(values[peer]);
}

async function measureThroughput(): Promise<Record<ServerName, number[]>> {
  const head = Object.entries(HEADERS).map(([name, value]) => `${name}: ${value}\r\n`);
  const request = `GET /contacts/${CONTACT_ID} HTTP/1.1\r\nhost: localhost\r\n${head.join('')}\r\n`;
  const servers = await Promise.all(
    SERVERS.map(async (name) => ({
      name,
      ...(await (name === 'prism' ? startPrismCommand() : startServer(name))),
    })),
  );
  const perSecond: Record<ServerName, number[]> = { buddy: [], mockttp: [], prism: [] };
  try {
    for (let round = -2; round < LOAD_ROUNDS; round += 1) {
      for (const { name, port } of servers) {
        const measured = await httpLoad(port, request, LOAD);
        if (round >= 0) perSecond[name].push(measured);
      }
    }
  } finally {
    for (const { child } of servers) child.kill();
  }
  return perSecond;
}

/** Each time in a fresh process, in which all is loaded and nothing has run. */
async function measureStarts(): Promise<Record<ServerName, number[]>> {
  const starts: Record<ServerName, number[]> = { buddy: [], mockttp: [], prism: [] };
  for (let round = 0; round < START_ROUNDS; round += 1) {
    for (const name of SERVERS) {
      const { child, startMs } = await startServer(name);
      child.kill();
      starts[name].push(startMs);
    }
  }
  return starts;
}

async function startServer(name: ServerName): Promise<Listening & { child: ChildProcess }> {
  const child = fork(new URL('../children/mock-server.ts', import.meta.url), [name, CONTACT_ID], {
    execArgv: ['--conditions=@buddy/source'],
    serialization: 'advanced',
  });
  const listening = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`${name} ended with ${String(code)}`);
    }),
  ]);
  const { port, startMs } = z.object({ port: z.number(), startMs: z.number() }).parse(listening[0]);
  return { child, port, startMs };
}

/** As its users start it: it tells of every request. */
async function startPrismCommand(): Promise<{ child: ChildProcess; port: number }> {
  const args = [PRISM, 'mock', '-h', '127.0.0.1', '-p', '0', CONTRACT];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const listening = Promise.withResolvers<number>();
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    if (out.length < 10_000) out += chunk.toString();
    const port = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(out)?.[1];
    if (port !== undefined) listening.resolve(Number(port));
  });
  child.once('exit', () => listening.reject(new Error(`prism mock ended: ${out}`)));
  return { child, port: await listening.promise };
}

const PRISM = createRequire(import.meta.url).resolve('@stoplight/prism-cli/dist/index.js');
const CONTRACT = fileURLToPath(
  new URL('../../packages/mocks/test/contracts/gohighlevel-contacts.openapi.json', import.meta.url),
);

/**
 * From nothing: what is typed, until it says that it listens. Prism's users have nothing else; a mock server is started
 * within the tests' own process.
 */
async function measureCommands(withinProcess: readonly number[]): Promise<Figure[]> {
  const bin = fileURLToPath(
    new URL('../../packages/mocks/src/bin/buddy-mocks.ts', import.meta.url),
  );
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < START_ROUNDS; round += 1) {
    ours.push(await untilPrinted(['--conditions=@buddy/source', bin, 'serve'], 'mployer'));
    theirs.push(await untilPrinted([PRISM, 'mock', '-p', '0', CONTRACT], 'is listening'));
  }
  return [
    {
      name: 'start: buddy-mocks serve, from its sources, Node included',
      unit: 'ms',
      ...summary(ours),
    },
    { name: 'start: prism mock, Node included', unit: 'ms', ...summary(theirs), isPeer: true },
    {
      name: 'start: a mock server within a process / prism mock',
      unit: '',
      measured: median(withinProcess) / median(theirs),
      target: { is: 'at most', value: 1 / 20 },
    },
  ];
}

async function untilPrinted(args: readonly string[], words: string): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  for await (const chunk of child.stdout) {
    out += String(chunk);
    if (out.includes(words)) break;
  }
  const ms = performance.now() - startedAt;
  child.kill();
  if (!out.includes(words)) throw new Error(`${args.join(' ')} did not start: ${out}`);
  return ms;
}

const BOOK = 10_000;
const SEARCHES = 20;

async function measureSearch(): Promise<Figure[]> {
  const { client } = createGoHighLevelMock({
    seed: 1,
    contacts: BOOK,
    latency: 'none',
    journalSize: 100,
  });
  const search = async () => {
    const { total } = await client.searchContacts({
      filters: [
        { field: 'email', operator: 'contains', value: 'a' },
        { field: 'state', operator: 'not_eq', value: 'CA' },
      ],
      sort: [{ field: 'dateAdded', direction: 'desc' }],
      pageLimit: 20,
    });
    if (total === 0) throw new Error('Nothing was found');
  };
  const searches: Contender = {
    name: 'search over 10 000 contacts: two filters, sorted, a page of 20',
    prepare: () => async () => {
      for (let n = 0; n < SEARCHES; n += 1) await search();
    },
  };
  const times = await timeRounds([searches], { rounds: 15, warmUps: 3 });
  const ms = (times.get(searches.name) ?? []).map((sum) => sum / SEARCHES);
  return [{ name: searches.name, unit: 'ms', ...summary(ms), target: { is: 'at most', value: 5 } }];
}

async function measureMemory(): Promise<Figure[]> {
  const program = new URL('../children/mock-memory.ts', import.meta.url);
  const { stdout } = await measureChild(program, [], ['--expose-gc']);
  const [first = Number.NaN, ...later] = z.array(z.number()).parse(JSON.parse(stdout));
  return [
    { name: 'memory held after 20 000 calls', unit: 'MB', measured: first },
    {
      name: 'its growth over the next 100 000 calls',
      unit: 'MB',
      measured: (later.at(-1) ?? Number.NaN) - first,
      target: { is: 'at most', value: 2 },
    },
  ];
}
