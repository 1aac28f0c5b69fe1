import { createLimitBook, LIMITS_MIGRATION, openLedger } from '@buddy/governance';
import { callsPerHour, subject } from './demands.ts';

/*
 * A process that tries to take one call as often as it is told, all at once: started with the database's path, a count, and
 * what is allowed. Says how many it got.
 */
const [, , file = '', attempts = '0', allowed = '0'] = process.argv;
const ledger = openLedger({ file, busyTimeoutMs: 60_000 }, { migrations: [LIMITS_MIGRATION] });
const book = createLimitBook();
const demands = [callsPerHour(Number(allowed))];

const results = await Promise.all(
  Array.from({ length: Number(attempts) }, () =>
    ledger.write((transaction) => book.reserve(transaction, demands, subject)),
  ),
);
process.stdout.write(String(results.filter(({ kind }) => kind === 'reserved').length));
// Without closing: a process that dies.
process.exit(0);
