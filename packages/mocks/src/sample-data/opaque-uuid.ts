import { hash } from 'node:crypto';

/** A UUID (version 8: made after rules of one's own) that looks random and is fixed by its key. */
export function opaqueUuid(...key: readonly (string | number)[]): string {
  const hex = hash('sha1', JSON.stringify(key), 'hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
