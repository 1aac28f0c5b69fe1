import type { Engine } from '../durable/engine.ts';
import { HarnessMisuseError } from '../errors.ts';
import type { Fact } from '../orchestration/facts.ts';

type BegunRun = Extract<Fact, { kind: 'runBegan' }> & { cancelReason: string | null };

/**
 * The run that an earlier process left in the engine's store.
 * @throws {HarnessMisuseError} When there is none to go on with.
 */
export async function findRun(engine: Engine): Promise<BegunRun> {
  for await (const { id, workflow, cancelReason } of engine.list()) {
    if (workflow !== 'run') continue;
    for await (const { workflowId, kind, value } of engine.history<Fact, { kind: never }>()) {
      if (workflowId === id && kind === 'told' && value.kind === 'runBegan') {
        return { ...value, cancelReason };
      }
    }
    throw new HarnessMisuseError(`Run ${id} is over; there is nothing to go on with`);
  }
  throw new HarnessMisuseError('The engine has no run to go on with; call run() to begin one');
}
