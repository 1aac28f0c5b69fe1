import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGovernance, defaultPolicyFile, openLedger } from '@buddy/governance';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'durability-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** What SQLite itself says: 2 waits for the disk at each commit, 1 does not. */
const SYNCHRONOUS = { power_loss: 2, process_crash: 1 } as const;

describe('what a commit of the log survives', () => {
  it('is the loss of power, unless somebody says otherwise', async () => {
    await using ledger = openLedger({ file: join(folder, 'log.db') });
    expect(ledger.read((database) => database.prepare('PRAGMA synchronous').get())).toEqual({
      synchronous: SYNCHRONOUS.power_loss,
    });
  });

  it.each(['power_loss', 'process_crash'] as const)('can be %s', async (survives) => {
    await using governance = await createGovernance({
      policy: defaultPolicyFile.pathname,
      database: join(folder, 'log.db'),
      survives,
    });
    expect(
      governance.ledger.read((database) => database.prepare('PRAGMA synchronous').get()),
    ).toEqual({ synchronous: SYNCHRONOUS[survives] });
  });

  it('is nothing in between', () => {
    expect(() =>
      // @ts-expect-error: there is no such word
      openLedger({ file: join(folder, 'log.db'), survives: 'most_things' }),
    ).toThrow('survives');
  });
});
