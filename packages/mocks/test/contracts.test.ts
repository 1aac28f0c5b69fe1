import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { GivenAnswer } from '../src/wire/answer-channel.ts';
import { contractProblems } from './contracts/contract-check.ts';

const LIMITS = {
  'x-ratelimit-limit-daily': '200000',
  'x-ratelimit-daily-remaining': '199999',
  'x-ratelimit-interval-milliseconds': '10000',
  'x-ratelimit-max': '100',
  'x-ratelimit-remaining': '99',
};

const GRAPH_HEADERS = {
  'request-id': 'f0c5b0b4-6a5e-4a55-8f5c-2f1c8a3a1b11',
  'client-request-id': 'f0c5b0b4-6a5e-4a55-8f5c-2f1c8a3a1b11',
  'x-ms-ags-diagnostic': '{"ServerInfo":{}}',
  'strict-transport-security': 'max-age=31536000',
  'cache-control': 'private',
  date: 'Thu, 01 Jan 2026 00:00:00 GMT',
};

const contact = {
  id: 'seD4PfOuKoVMLkEZqohJ',
  locationId: 'buddyMockLocation001',
  email: 'ada@example.com',
  tags: ['vip'],
  customFields: [{ id: 'f1', value: 'x' }],
  dateAdded: '2026-01-01T00:00:00.000Z',
};

/** Answers as the vendors describe them, one of each sort. */
const GOOD: readonly (readonly [name: string, given: GivenAnswer])[] = [
  ['a contact', ghl('GET', '/contacts/seD4PfOuKoVMLkEZqohJ', 200, { contact })],
  ['a new contact', ghl('POST', '/contacts/', 201, { contact })],
  [
    'a changed contact',
    ghl('PUT', '/contacts/seD4PfOuKoVMLkEZqohJ', 200, { succeded: true, contact }),
  ],
  [
    'found contacts',
    ghl('POST', '/contacts/search', 200, { contacts: [contact], total: 1, traceId: 't' }),
  ],
  ['no duplicate', ghl('GET', '/contacts/search/duplicate', 200, { contact: null })],
  [
    'a refused contact',
    ghl('POST', '/contacts/', 422, {
      statusCode: 422,
      message: ['property x should not exist'],
      error: 'Unprocessable Entity',
    }),
  ],
  [
    'a contact too many',
    ghl('POST', '/contacts/', 400, {
      statusCode: 400,
      message: 'duplicated',
      meta: { contactId: 'x', contactName: 'Ada', matchingField: 'email' },
      traceId: 't',
    }),
  ],
  [
    'a mailbox',
    graph('GET', '/v1.0/me', 200, { '@odata.context': 'c', id: 'u', mail: 'ada@example.com' }),
  ],
  [
    'messages',
    graph('GET', '/v1.0/me/messages', 200, {
      '@odata.context': 'c',
      value: [
        {
          '@odata.etag': 'W/"1"',
          id: 'm',
          subject: 's',
          importance: 'normal',
          from: { emailAddress: { name: 'Ada', address: 'ada@example.com' } },
        },
      ],
    }),
  ],
  ['a sent mail', graph('POST', '/v1.0/me/sendMail', 202, undefined)],
  [
    'a missing message',
    graph('GET', '/v1.0/me/messages/AAMk%3D', 404, {
      error: {
        code: 'ErrorItemNotFound',
        message: 'none',
        innerError: { date: '2026-01-01T00:00:00', 'request-id': 'r', 'client-request-id': 'c' },
      },
    }),
  ],
];

describe('the check of every answer against its contract', () => {
  it.each(GOOD)('lets %s pass', (_name, given) => {
    expect(contractProblems(given)).toEqual([]);
  });

  it.each(GOOD)('notices any property of %s that is spelt differently', (_name, given) => {
    const { text } = given.answer;
    const renamed =
      text === undefined
        ? []
        : namesIn(text).map((name) => ({ name, text: text.replace(`"${name}":`, `"${name}x":`) }));
    for (const { name, text: broken } of renamed) {
      const problems = contractProblems({ ...given, answer: { ...given.answer, text: broken } });
      expect(problems, `${name} misspelt`).not.toEqual([]);
    }
  });

  it.each(GOOD)('notices another status of %s', (_name, given) => {
    for (const status of [203, 299]) {
      const problems = contractProblems({ ...given, answer: { ...given.answer, status } });
      expect(problems, `status ${status}`).not.toEqual([]);
    }
  });

  it.each(GOOD)('notices every header that %s must have', (_name, given) => {
    const { 'content-type': _type, ...required } = given.answer.headers;
    for (const name of Object.keys(required)) {
      const { [name]: _gone, ...headers } = given.answer.headers;
      const problems = contractProblems({ ...given, answer: { ...given.answer, headers } });
      expect(problems, `without ${name}`).not.toEqual([]);
    }
  });

  it('notices a wrong type, a value that is none of the known, and a bad date', () => {
    const given = graph('GET', '/v1.0/me/messages', 200, {
      '@odata.context': 'c',
      value: [{ id: 'm', importance: 'urgent', isRead: 'no', receivedDateTime: 'yesterday' }],
    });
    expect(contractProblems(given).join('\n')).toMatch(
      /isRead[^]*receivedDateTime|receivedDateTime[^]*isRead/,
    );
    expect(contractProblems(given).join('\n')).toContain('importance');
  });

  it('looks into every step of a batch', () => {
    const given = graph(
      'POST',
      '/v1.0/$batch',
      200,
      {
        responses: [
          {
            id: '1',
            status: 200,
            headers: {},
            body: { '@odata.context': 'c', id: 'm', subjekt: 's' },
          },
        ],
      },
      { requests: [{ id: '1', method: 'GET', url: '/me/messages/AAMk=' }] },
    );
    expect(contractProblems(given)).toEqual([expect.stringContaining('/subjekt is no property')]);
  });
});

describe('the tests of this package', () => {
  it('fail for an answer that breaks its contract, whatever they look at themselves', async () => {
    const vitest = fileURLToPath(new URL('vitest.mjs', import.meta.resolve('vitest/package.json')));
    const config = fileURLToPath(new URL('broken/vitest.config.ts', import.meta.url));
    const folder = await mkdtemp(join(tmpdir(), 'buddy-mocks-test-'));
    const file = join(folder, 'report.json');
    const args = [vitest, 'run', '--config', config, '--reporter=json', '--outputFile', file];
    const ended = promisify(execFile)(process.execPath, args);
    await expect(ended).rejects.toMatchObject({ code: 1 });
    const report = Report.parse(JSON.parse(await readFile(file, 'utf8')));
    await rm(folder, { recursive: true });
    expect(report.testResults[0]?.assertionResults).toEqual([
      { status: 'passed', failureMessages: [] },
      {
        status: 'failed',
        failureMessages: [expect.stringContaining('/contacts/0/dateAdded is missing')],
      },
    ]);
  });
});

const Report = z.object({
  testResults: z.array(
    z.object({
      assertionResults: z.array(
        z.object({ status: z.string(), failureMessages: z.array(z.string()) }),
      ),
    }),
  ),
});

function ghl(method: string, path: string, status: number, body: unknown): GivenAnswer {
  return {
    provider: 'gohighlevel',
    request: {
      method,
      path,
      origin: 'https://services.leadconnectorhq.com',
      query: new URLSearchParams(),
      headers: { version: '2021-07-28' },
      body: { kind: 'none' },
    },
    answer: { status, headers: LIMITS, text: JSON.stringify(body) },
  };
}

function graph(
  method: string,
  path: string,
  status: number,
  body: unknown,
  asked?: unknown,
): GivenAnswer {
  return {
    provider: 'msgraph',
    request: {
      method,
      path,
      origin: 'https://graph.microsoft.com',
      query: new URLSearchParams(),
      headers: {},
      body: asked === undefined ? { kind: 'none' } : { kind: 'json', value: asked },
    },
    answer: {
      status,
      headers: GRAPH_HEADERS,
      text: body === undefined ? undefined : JSON.stringify(body),
    },
  };
}

function namesIn(text: string): string[] {
  // Annotations may be missing, `address` and `name` of a person may not be called otherwise.
  return [...text.matchAll(/"([A-Za-z][A-Za-z]*)":/g)].flatMap(([, name]) => name ?? []);
}
