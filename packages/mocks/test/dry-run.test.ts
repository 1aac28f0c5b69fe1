import { execFile } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createJsonLogger, ManualClock } from '@buddy/core';
import {
  createGoHighLevelMock,
  createMployerMock,
  getGoHighLevelClient,
  getGraphMailClient,
  getMployerClient,
} from '@buddy/mocks';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';

const factories = [
  ['getMployerClient', getMployerClient, 'MPLOYER_BASE_URL'],
  ['getGoHighLevelClient', getGoHighLevelClient, 'GOHIGHLEVEL_LOCATION_ID'],
  ['getGraphMailClient', getGraphMailClient, 'MSGRAPH_ACCESS_TOKEN'],
] as const;

describe.each(factories)('%s', (_name, getClient, firstVariable) => {
  it.each(['true', '1', 'yes', 'TRUE', ' Yes '])('gives a mock when DRY_RUN is %j', (word) => {
    expect(getClient({ DRY_RUN: word })).toBeTypeOf('object');
  });

  it.each(['false', '0', 'no', 'False', '', undefined])(
    'asks for what the real client needs, by name, when DRY_RUN is %j',
    (word) => {
      expect(() => getClient({ DRY_RUN: word })).toThrow(
        expect.objectContaining({
          code: 'MOCKS_NOT_CONFIGURED',
          variable: firstVariable,
          message: expect.stringContaining(`${firstVariable} is not set`),
        }),
      );
    },
  );

  it.each(['ture', 'on', '2', 'y', 'dry'])('does not guess what DRY_RUN %j means', (word) => {
    expect(() => getClient({ DRY_RUN: word })).toThrow(
      expect.objectContaining({
        code: 'MOCKS_ENVIRONMENT_INVALID',
        variable: 'DRY_RUN',
        message: `DRY_RUN is "${word}"; set it to true, 1 or yes for mocks, or to false, 0 or no for real systems`,
      }),
    );
  });

  it('says in one line of the log that a mock is at work', () => {
    const lines: string[] = [];
    const logger = createJsonLogger({}, { write: (line) => lines.push(line) });
    getClient({ DRY_RUN: 'true' }, { logger });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('nothing leaves this process');
  });

  it('reads the environment of the process unless given another', () => {
    vi.stubEnv('DRY_RUN', 'yes');
    expect(getClient()).toBeTypeOf('object');
    vi.unstubAllEnvs();
  });
});

describe('a client for a dry run', () => {
  it('fails at the rates of the original system, on the clock that it is given', async () => {
    const clock = new ManualClock();
    const crm = getGoHighLevelClient({ DRY_RUN: 'true' }, { clock });
    const codes = new Set<string>();
    await clock.run(async () => {
      for (let n = 0; n < 300; n += 1) {
        await crm.listContacts().catch((error: { code: string }) => codes.add(error.code));
      }
    });
    expect([...codes].toSorted()).toEqual([
      'MOCKS_AUTH_FAILED',
      'MOCKS_RATE_LIMITED',
      'MOCKS_TIMEOUT',
    ]);
  });

  it('passes on what the mock should be like', async () => {
    const mock = { faults: 'none', latency: 'none', contacts: 7 } as const;
    const crm = getGoHighLevelClient({ DRY_RUN: 'true' }, { mock });
    expect((await crm.listContacts()).total).toBe(7);
  });
});

describe('a client for the real thing', () => {
  const real = {
    GOHIGHLEVEL_LOCATION_ID: 'buddyMockLocation001',
    GOHIGHLEVEL_TOKEN: 'pit-any',
    MPLOYER_BASE_URL: 'https://mployer.example',
  };

  it('reaches where the environment says, as whom it says', async () => {
    const crm = createGoHighLevelMock({ contacts: 7, latency: 'none' });
    const client = getGoHighLevelClient({ ...real, DRY_RUN: 'no' }, { fetch: crm.fetch });
    expect((await client.listContacts()).total).toBe(7);
    expect(crm.journal.entries()).toMatchObject([{ request: { path: '/contacts/search' } }]);
    const mployer = createMployerMock({ latency: 'none' });
    const searcher = getMployerClient(real, { fetch: mployer.fetch });
    await searcher.login('ada@example.com', 'secret');
    expect((await searcher.searchContacts({})).results).toHaveLength(10);
  });

  it('tries once, as the mock of a dry run does, unless it is told otherwise', async () => {
    const faults = [
      { match: { operation: '*' }, kind: 'status', status: 503, when: { rate: 1 } } as const,
    ];
    const crm = createGoHighLevelMock({ faults, latency: 'none' });
    const clock = new ManualClock();
    const once = getGoHighLevelClient(real, { fetch: crm.fetch, clock });
    await expect(once.listContacts()).rejects.toMatchObject({ status: 503 });
    expect(crm.journal.total).toBe(1);
    const often = getGoHighLevelClient(real, { fetch: crm.fetch, clock, retries: { attempts: 3 } });
    await expect(clock.run(() => often.listContacts())).rejects.toMatchObject({ status: 503 });
    expect(crm.journal.total).toBe(4);
  });

  it('takes the tokens of an app in place of one for good', async () => {
    const crm = createGoHighLevelMock({ latency: 'none' });
    const app = {
      GOHIGHLEVEL_LOCATION_ID: 'buddyMockLocation001',
      GOHIGHLEVEL_CLIENT_ID: 'app',
      GOHIGHLEVEL_CLIENT_SECRET: 'secret',
      GOHIGHLEVEL_REFRESH_TOKEN: 'refresh',
    };
    await getGoHighLevelClient(app, { fetch: crm.fetch }).listContacts();
    expect(crm.journal.entries().map(({ operation }) => operation)).toEqual([
      'token.create',
      'contacts.search',
    ]);
    for (const variable of ['GOHIGHLEVEL_CLIENT_SECRET', 'GOHIGHLEVEL_REFRESH_TOKEN']) {
      expect(() => getGoHighLevelClient({ ...app, [variable]: ' ' })).toThrow(
        expect.objectContaining({ code: 'MOCKS_NOT_CONFIGURED', variable }),
      );
    }
  });

  it.each([
    ['GOHIGHLEVEL_BASE_URL', getGoHighLevelClient],
    ['GOHIGHLEVEL_VERSION', getGoHighLevelClient],
    ['MPLOYER_BASE_URL', getMployerClient],
  ] as const)('does not guess what %s means', (variable, getClient) => {
    expect(() => getClient({ ...real, [variable]: 'localhost:4010' })).toThrow(
      expect.objectContaining({ code: 'MOCKS_ENVIRONMENT_INVALID', variable }),
    );
  });

  it('says in one line of the log where it goes, and not as whom', () => {
    const lines: string[] = [];
    const logger = createJsonLogger({}, { write: (line) => lines.push(line) });
    const secretive = { ...real, GOHIGHLEVEL_BASE_URL: 'https://user:canary@crm.example/x' };
    getGoHighLevelClient(secretive, { logger });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('https://crm.example');
    expect(lines[0]).not.toContain('canary');
  });
});

describe('a dry run', () => {
  it('opens no socket, though the real systems are configured', async () => {
    const { opened, calls } = await countSockets({ DRY_RUN: 'true' });
    expect(calls).toBe(3);
    expect(opened).toEqual([]);
  });

  it('would be seen to open one: without it, the same program does', async () => {
    const { opened } = await countSockets({ DRY_RUN: 'false' });
    expect(opened.length).toBeGreaterThan(0);
  });
});

/** Runs a program that calls all three systems, in a process of its own that notes whom it tries to reach. */
async function countSockets(environment: { DRY_RUN: string }) {
  const program = fileURLToPath(new URL('crm/call-everybody.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@buddy/source', '--no-warnings', program],
    {
      timeout: 60_000,
      env: {
        ...environment,
        // Nothing listens there; the attempt alone would be seen.
        GOHIGHLEVEL_BASE_URL: 'http://127.0.0.1:59123',
        GOHIGHLEVEL_LOCATION_ID: 'anywhere',
        GOHIGHLEVEL_TOKEN: 'pit-any',
        MPLOYER_BASE_URL: 'http://127.0.0.1:59123',
        MSGRAPH_BASE_URL: 'http://127.0.0.1:59123/v1.0',
        MSGRAPH_ACCESS_TOKEN: 'any',
      },
    },
  );
  return z.object({ opened: z.array(z.string()), calls: z.number() }).parse(JSON.parse(stdout));
}
