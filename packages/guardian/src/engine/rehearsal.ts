/** A fault that a test can put there and take away, and that says itself whether it is there. */
export interface RehearsedFault {
  readonly name: string;
  /** Makes it so. */
  apply(signal: AbortSignal): Promise<void>;
  /** Whether it is there now: looked at from outside, not remembered. */
  isPresent(signal: AbortSignal): Promise<boolean>;
  /** Takes it away, healed or not; may be called when it is gone. */
  revert(): Promise<void>;
}
