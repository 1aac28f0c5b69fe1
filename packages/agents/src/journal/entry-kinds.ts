/** Kinds of entries, as they are stored. Never renumbered. */
export const ENTRY_KINDS = { recorded: 1, intended: 2, timed: 3, signalled: 4, told: 5 } as const;
