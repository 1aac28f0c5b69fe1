import process from 'node:process';
import { openSqliteStore } from '@buddy/guardian';

/** Opens a store, and keeps it until it is killed. */
openSqliteStore(process.argv[2] ?? '');
process.send?.('opened');
setInterval(() => undefined, 1_000);
