import { createPostgresDatabase, readPostgresError } from '@buddy/guardian';
import pg from 'pg';
import { describe, expect, it } from 'vitest';

describe('an error of Postgres', () => {
  it.each([
    ['57P01', 'database.unavailable', 'decisive'],
    ['57P03', 'database.unavailable', 'decisive'],
    ['08006', 'database.unavailable', 'decisive'],
    ['ECONNREFUSED', 'database.unavailable', 'decisive'],
    ['ETIMEDOUT', 'database.unavailable', 'ambiguous'],
    ['53300', 'database.pool_exhausted', 'decisive'],
    ['55P03', 'database.locked', 'decisive'],
    ['XX001', 'database.corrupted', 'decisive'],
    ['53100', 'disk.full', 'decisive'],
    ['28P01', 'credential.refused', 'decisive'],
  ])('with the code %s says %s, and is %s', (code, told, certainty) => {
    const error = Object.assign(new Error('of Postgres'), { code });
    expect(readPostgresError(error)).toMatchObject({ status: 'FAILED', signal: told, certainty });
  });

  it.each(['23505', '42601', undefined])(
    'with the code %s says nothing of the database',
    (code) => {
      const error = Object.assign(new Error('of a statement'), { code });
      expect(readPostgresError(error)).toMatchObject({ status: 'UNKNOWN', reason: 'probe_error' });
    },
  );
});

describe('a Postgres database', () => {
  const ports = {
    openPool: () => new pg.Pool({ host: '127.0.0.1', port: 9 }),
    openClient: () => new pg.Client({ host: '127.0.0.1', port: 9 }),
  };

  it('refuses a read-only target that is none of its targets', () => {
    const options = { targets: ['primary'], readOnly: ['replica'], applicationName: 'shop' };
    expect(() => createPostgresDatabase(options, ports)).toThrow(
      '"replica" is none of the targets',
    );
  });

  it('refuses to go where it does not know the way, and to start what is not its own', async () => {
    const { signal } = new AbortController();
    const database = createPostgresDatabase({ targets: ['a'], applicationName: 'shop' }, ports);
    await expect(database.useTarget('b', signal)).rejects.toThrow('There is no target "b"');
    await expect(database.startServer(signal)).rejects.toThrow('not ours to start');
    expect(await database.server(signal)).toBe('not_ours');
  });

  it('is unavailable where nobody listens', async () => {
    const { signal } = new AbortController();
    const database = createPostgresDatabase({ targets: ['a'], applicationName: 'shop' }, ports);
    expect(await database.probe(signal)).toMatchObject({
      status: 'FAILED',
      signal: 'database.unavailable',
    });
  });
});
