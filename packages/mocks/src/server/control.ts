import { timingSafeEqual, hash } from 'node:crypto';
import { BuddyError, type Clock, ManualClock, parseOrThrow } from '@buddy/core';
import { z } from 'zod';
import { Faults } from '../faults/fault-rule.ts';
import { shareFaults } from '../faults/share-faults.ts';
import type { Mock } from '../wire/exchange.ts';

export interface ControlOptions {
  /** Who knows it may steer the mocks: `Authorization: Bearer <token>`. */
  readonly token: string;
  /** The clock of the mocks. */
  readonly clock: Clock;
}

const PREFIX = '/__buddy';
/** Answers whoever asks, and says no more than that. */
const HEALTH = '/health';

/** Whether a request is for those who steer the mocks, and not for a mock. */
export function isControl(request: Request): boolean {
  if (!request.url.includes(PREFIX)) return false; // nearly always, and reading an address takes a while
  const { pathname } = new URL(request.url);
  return pathname === PREFIX || pathname.startsWith(`${PREFIX}/`);
}

/**
 * Steers mocks over HTTP: what can be done with a mock in the process can be done from outside of it, too. All mocks are
 * meant unless the query names one (`?mock=crm`).
 */
export function createControl(
  mocks: Readonly<Record<string, Mock>>,
  { token, clock }: ControlOptions,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const { pathname, searchParams: query } = new URL(request.url);
    const path = pathname.slice(PREFIX.length) || '/';
    if (path === HEALTH) return done();
    if (!isAuthorized(request, token)) {
      return problem(
        401,
        'Send the token that the server was started with: Authorization: Bearer <token>',
      );
    }
    const methods = ROUTES.get(path);
    if (methods === undefined) return problem(404, `There is ${[...ROUTES.keys()].join(', ')}`);
    const act = methods[request.method];
    if (act === undefined) return problem(405, `${path} takes ${Object.keys(methods).join(', ')}`);
    try {
      return await act({ mocks: chosen(mocks, query.get('mock')), query, request, clock });
    } catch (error) {
      if (error instanceof BuddyError) return problem(400, error.message);
      throw error;
    }
  };
}

interface Asked {
  readonly mocks: Readonly<Record<string, Mock>>;
  readonly query: URLSearchParams;
  readonly request: Request;
  readonly clock: Clock;
}

type Act = (asked: Asked) => Promise<Response> | Response;

const ROUTES = new Map<string, Readonly<Record<string, Act>>>([
  ['/', { GET: overview }],
  ['/reset', { POST: reset }],
  ['/faults', { GET: readFaults, PUT: writeFaults }],
  ['/journal', { GET: readJournal, DELETE: clearJournal }],
  ['/clock', { GET: readClock, POST: advanceClock }],
  ['/state', { GET: readState, PUT: writeState }],
]);

function overview({ mocks }: Asked): Response {
  return json(
    mapped(mocks, ({ provider, journal, faults }) => ({
      provider,
      calls: journal.total,
      faults: faults.inForce,
    })),
  );
}

function reset({ mocks }: Asked): Response {
  for (const mock of Object.values(mocks)) mock.reset();
  return done();
}

function readFaults({ mocks }: Asked): Response {
  return json(mapped(mocks, ({ faults }) => faults.inForce));
}

async function writeFaults({ mocks, request }: Asked): Promise<Response> {
  const asked = parseOrThrow(Faults, await bodyOf(request), 'fault rules');
  const controls = Object.values(mocks).map(({ faults }) => faults);
  const shares = shareFaults(
    asked,
    controls.map(({ operations }) => operations),
  );
  // All or none: a rule may fit one provider and not the next.
  const before = controls.map((faults) => ({ faults, inForce: faults.inForce }));
  try {
    for (const [at, faults] of controls.entries()) faults.use(shares[at] ?? asked);
  } catch (error) {
    for (const { faults, inForce } of before) faults.use(inForce);
    throw error;
  }
  return done();
}

function readJournal({ mocks, query }: Asked): Response {
  const journals = Object.values(mocks).map(({ journal }) => journal);
  switch (query.get('format') ?? 'json') {
    case 'json':
      return json(
        mapped(mocks, ({ journal }) => journal.entries(query.get('operation') ?? undefined)),
      );
    case 'ndjson':
      return new Response(journals.map((journal) => journal.toNdjson()).join(''), {
        headers: { 'content-type': 'application/x-ndjson' },
      });
    case 'har': {
      if (journals.length !== 1) return problem(400, 'An HTTP archive is of one mock: say ?mock=');
      return json(journals[0]?.toHar());
    }
    default:
      return problem(400, 'The format is json, ndjson or har');
  }
}

function clearJournal({ mocks }: Asked): Response {
  for (const { journal } of Object.values(mocks)) journal.clear();
  return done();
}

function readClock({ clock }: Asked): Response {
  return json({
    now: new Date(clock.now()).toISOString(),
    canBeAdvanced: clock instanceof ManualClock,
  });
}

/** The end of the last year that has four digits, as the providers write it. */
const LATEST = Date.UTC(10_000, 0, 1) - 1;

const Advance = z.strictObject({ advanceMs: z.number().nonnegative() });

async function advanceClock(asked: Asked): Promise<Response> {
  const { clock, request } = asked;
  if (!(clock instanceof ManualClock)) {
    return problem(409, 'The time here is the real one; start with a virtual clock to move it');
  }
  const { advanceMs } = parseOrThrow(Advance, await bodyOf(request), 'body');
  if (clock.now() + advanceMs > LATEST) {
    return problem(
      400,
      `advanceMs leads past ${new Date(LATEST).toISOString()}; it may be ${LATEST - clock.now()} at most`,
    );
  }
  await clock.advance(advanceMs);
  return readClock(asked);
}

function readState({ mocks }: Asked): Response {
  return json(mapped(mocks, (mock) => mock.snapshot()));
}

async function writeState({ mocks, request }: Asked): Promise<Response> {
  const snapshots = parseOrThrow(z.record(z.string(), z.unknown()), await bodyOf(request), 'body');
  const before = Object.values(mocks).map((mock) => ({ mock, snapshot: mock.snapshot() }));
  try {
    for (const [name, snapshot] of Object.entries(snapshots)) {
      for (const mock of Object.values(chosen(mocks, name))) mock.restore(snapshot);
    }
  } catch (error) {
    for (const { mock, snapshot } of before) mock.restore(snapshot);
    throw error;
  }
  return done();
}

class ControlError extends BuddyError {
  readonly code = 'MOCKS_CONTROL_REFUSED';
}

function chosen(mocks: Readonly<Record<string, Mock>>, name: string | null): typeof mocks {
  if (name === null) return mocks;
  const mock = Object.hasOwn(mocks, name) ? mocks[name] : undefined;
  if (mock) return { [name]: mock };
  throw new ControlError(`There is no mock ${name}; there are ${Object.keys(mocks).join(', ')}`);
}

async function bodyOf(request: Request): Promise<unknown> {
  try {
    return await request.json();
  } catch (cause) {
    throw new ControlError('The body is no JSON', { cause });
  }
}

/** In a time that does not tell how much of it was right. */
function isAuthorized(request: Request, token: string): boolean {
  const given = request.headers.get('authorization') ?? '';
  return timingSafeEqual(digestOf(given), digestOf(`Bearer ${token}`));
}

function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

function mapped<Value>(
  mocks: Readonly<Record<string, Mock>>,
  valueOf: (mock: Mock) => Value,
): Record<string, Value> {
  return Object.fromEntries(Object.entries(mocks).map(([name, mock]) => [name, valueOf(mock)]));
}

function json(value: unknown): Response {
  return Response.json(value);
}

function done(): Response {
  return new Response(null, { status: 204 });
}

function problem(status: number, message: string): Response {
  return Response.json({ error: { code: 'BuddyMocks', message } }, { status });
}
