/** What a supervisor tells its reaper, one JSON object a line. Of our own making on both sides. */
export type ReaperMessage =
  | {
      readonly kind: 'watch';
      readonly mark: string;
      readonly graceMs: number;
      readonly cgroup: string | undefined;
      readonly leader?: { readonly pid: number; readonly startedAtTicks: string } | undefined;
    }
  | { readonly kind: 'forget'; readonly mark: string };
