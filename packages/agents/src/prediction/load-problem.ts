/** Something in the input that was passed over or cannot be done; never the end of the loading. */
export interface LoadProblem {
  kind: LoadProblemKind;
  file: string;
  line: number;
  /** The task, when the line names one. */
  taskId: string | null;
  /** The field, such as `depends_on[1]`. */
  path: string | null;
  message: string;
}

/**
 * `BAD_LINE` and `DUPLICATE_ID`: the line was passed over. `UNKNOWN_DEPENDENCY`, `LATER_DEPENDENCY` and
 * `DEPENDENCY_CYCLE`: the task can never start and is skipped. `SCHEDULE_MISMATCH` and `BAD_SCHEDULE_LINE`: warnings.
 */
export type LoadProblemKind =
  | 'BAD_LINE'
  | 'DUPLICATE_ID'
  | 'UNKNOWN_DEPENDENCY'
  | 'LATER_DEPENDENCY'
  | 'DEPENDENCY_CYCLE'
  | 'SCHEDULE_MISMATCH'
  | 'BAD_SCHEDULE_LINE';
