import type { Reading } from '../reading.ts';
import type { Probed } from './probed.ts';

export interface QueueHead {
  job: string;
  ageMs: number;
  failures: number;
}

/** A queue of jobs and those who work it off. */
export interface QueueAdapter extends Probed {
  readonly kind: 'queue';
  /** The oldest job; undefined when there is none. */
  head(signal: AbortSignal): Promise<QueueHead | undefined>;
  /** Jobs that failed so often that they will again, the oldest first. */
  poisoned(signal: AbortSignal): Promise<readonly string[]>;
  /** Whether it is short enough, or becomes so. */
  drains(signal: AbortSignal): Promise<Reading>;
  isIntakePaused(signal: AbortSignal): Promise<boolean>;
  workers(): number;
  maxWorkers(): number;
  setWorkers(count: number, signal: AbortSignal): Promise<void>;
  pauseIntake(signal: AbortSignal): Promise<void>;
  resumeIntake(signal: AbortSignal): Promise<void>;
  /** Sets the job aside, whole, with the digest of its payload. */
  deadLetter(job: string, signal: AbortSignal): Promise<void>;
  /** Puts it back where it was. */
  reinsert(job: string, signal: AbortSignal): Promise<void>;
}

export interface AgentProgress {
  /** Changes with each bit of progress. */
  token: string;
  /** How often the last call was made with the same arguments, in a row. */
  repeatedCalls: number;
  /** Ms since the token changed. */
  silentMs: number;
  /** Whether a turn is under way: after `cancelTurn` one that does not obey still is. */
  isTurning: boolean;
}

/** An agent at its work, turn by turn. */
export interface AgentAdapter extends Probed {
  readonly kind: 'agent';
  progress(signal: AbortSignal): Promise<AgentProgress>;
  /** Whether progress was made since the turn began. */
  advances(signal: AbortSignal): Promise<Reading>;
  /** Keeps how far it came, so that `resume` goes on from there. */
  checkpoint(signal: AbortSignal): Promise<void>;
  /** Asks the turn to end, and waits a while for it. */
  cancelTurn(signal: AbortSignal): Promise<void>;
  /** Begins a turn at the checkpoint, with a word on what to do differently; none: as before. */
  resume(hint: string, signal: AbortSignal): Promise<void>;
  /** Ends the turn whether it obeys or not. */
  end(signal: AbortSignal): Promise<void>;
}
