import type { Clock, Logger } from '@buddy/core';

export interface RetryPorts {
  clock: Clock;
  logger: Logger;
  /** Ends the trying. */
  signal: AbortSignal;
}

/** Does it again while Postgres is away. For what may be done twice: nobody knows whether it was done before the line was cut. */
export async function retryLost<Value>(
  work: () => Promise<Value>,
  { clock, logger, signal }: RetryPorts,
): Promise<Value> {
  for (let waitMs = FIRST_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_MS)) {
    try {
      return await work();
    } catch (error) {
      if (!isLost(error) || signal.aborted) throw error;
      logger.warn({ err: error }, 'Postgres did not answer; trying again');
      await clock.sleep(waitMs, signal);
    }
  }
}

const FIRST_MS = 50;
const LONGEST_MS = 2_000;

/** Whether the failure is of the line or of a server that is busy or gone, and not of what was asked. */
function isLost(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  // Five characters are an SQLSTATE: the server has answered. Classes: connection, resources, rollback, operator.
  return !/^[0-9A-Z]{5}$/.test(code) || /^(08|53|40|57)/.test(code);
}
