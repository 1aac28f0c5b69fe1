import { createJsonLogger, ManualClock } from '@buddy/core';
import { getGoHighLevelClient, getGraphMailClient, getMployerClient } from '@buddy/mocks';
import { describe, expect, it, vi } from 'vitest';

const factories = [
  ['getMployerClient', getMployerClient],
  ['getGoHighLevelClient', getGoHighLevelClient],
  ['getGraphMailClient', getGraphMailClient],
] as const;

describe.each(factories)('%s', (_name, getClient) => {
  it.each(['true', '1', 'yes', 'TRUE', ' Yes '])('gives a mock when DRY_RUN is %j', (word) => {
    expect(getClient({ DRY_RUN: word })).toBeTypeOf('object');
  });

  it.each(['false', '0', 'no', 'False', '', undefined])(
    'refuses when DRY_RUN is %j, for there is no real client yet',
    (word) => {
      expect(() => getClient({ DRY_RUN: word })).toThrow(
        expect.objectContaining({
          code: 'MOCKS_NOT_CONFIGURED',
          variable: 'DRY_RUN',
          message: expect.stringContaining('not built yet; set DRY_RUN=true'),
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
