import { hash } from 'node:crypto';

/** An identifier of letters and digits that looks random and is fixed by its key. */
export function opaqueId(length: number, ...key: readonly (string | number)[]): string {
  // 512 bits are 86 characters, of which few are dropped: enough for the longest id here.
  return hash('sha512', JSON.stringify(key), 'base64url').replaceAll(/[-_]/g, '').slice(0, length);
}
