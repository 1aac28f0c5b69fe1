import type { OutputStream } from '../process/processes.ts';

/** What a bot wrote, without its secrets. */
export interface LogLine {
  /** When it arrived, in ms since the epoch. */
  readonly at: number;
  readonly stream: OutputStream;
  readonly text: string;
}
