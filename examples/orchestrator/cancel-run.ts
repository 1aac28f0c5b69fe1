import { connectEngine } from '@buddy/agents';
import { BuddyError } from '@buddy/core';

class NothingToCancelError extends BuddyError {
  readonly code = 'EXAMPLES_NOTHING_TO_CANCEL';
}

/**
 * Stops the run in a folder that another process works on: what is under way is aborted, nothing more is begun, and its files
 * tell so. Resolves when that will not be lost.
 * @throws {EngineUnreachableError} When no process works on it. @throws {NothingToCancelError} When it has just ended.
 */
export async function cancelRun(folder: string): Promise<{ runId: string }> {
  const engine = await connectEngine(folder);
  for await (const { id, workflow, status } of engine.list()) {
    if (workflow !== 'run' || status !== 'running') continue;
    await engine.cancel(id, 'start --cancel');
    return { runId: id };
  }
  throw new NothingToCancelError(`The run in ${folder} has ended, or is being stopped already`);
}
