export { LedgerClosedError, LedgerWriteError } from './errors.ts';
