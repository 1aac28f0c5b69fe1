/** What a guest tried that it may not. */
export const VIOLATION_TYPES = [
  'NETWORK_ACCESS_ATTEMPT',
  'SUBPROCESS_ATTEMPT',
  'FILESYSTEM_ATTEMPT',
  'IMPORT_ALLOWLIST_VIOLATION',
  'TIMEOUT',
  'MEMORY_LIMIT',
  'TOOL_DENIED',
  'BUILTIN_VIOLATION',
] as const;

export type ViolationType = (typeof VIOLATION_TYPES)[number];

export interface Violation {
  type: ViolationType;
  /** For people and models: what was tried, and what there is instead. */
  details: string;
  /** Line of the guest's code, from 1; null where it is not known. */
  line: number | null;
}
