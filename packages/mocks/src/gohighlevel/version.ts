/** What the provider's `Version` header may say: the published set, as of June 2026. */
const PUBLISHED = new Set(['legacy', '2021-04-15', '2021-07-28', '2023-02-21', 'v3']);

/** The dated versions answer alike here; `v3` renames fields. */
export type WireVersion = 'dated' | 'v3';

/** Undefined for a version that was never published. */
export function versionOf(header: string): WireVersion | undefined {
  if (!PUBLISHED.has(header)) return undefined;
  return header === 'v3' ? 'v3' : 'dated';
}
