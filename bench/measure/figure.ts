/** One row of a table: what was measured, and what was promised. */
export interface Figure {
  name: string;
  /** Such as `us`, `MB` or `%`; empty for a plain ratio. */
  unit: string;
  /** NaN where there is only an outcome to tell. */
  measured: number;
  /** What became of it, where a number cannot say it: `host dies (SIGSEGV)`. Shown instead of, or after, the number. */
  outcome?: string;
  /** The smallest and the largest of the rounds or seeds; undefined for a figure that has only one. */
  range?: readonly [number, number];
  /** What `measured` must keep to; undefined for what is only shown beside. */
  target?: Target;
  /** Somebody else's code, or the method that Buddy does without. */
  isPeer?: boolean;
}

export interface Target {
  is: 'at most' | 'at least';
  value: number;
  /** Where the value comes from, when it was not fixed beforehand. */
  from?: string;
}

/** Figures that are measured together, in a process of their own. */
export interface Bench {
  name: string;
  /** What is measured, for the line above the table. */
  title: string;
  /** Runs only when it is named. */
  isOptIn?: boolean;
  measure(): Promise<readonly Figure[]>;
}

export function isMet({ is, value }: Target, measured: number): boolean {
  switch (is) {
    case 'at most':
      return measured <= value;
    case 'at least':
      return measured >= value;
  }
}
