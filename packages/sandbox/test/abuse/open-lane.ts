import { spawn } from 'node:child_process';
import { createSandbox, type SandboxInput, type Spawn, type ViolationRecord } from '@buddy/sandbox';
import type { Lane } from './sandbox-lane.ts';
import { abusedTools } from './tools.ts';
import { layTripwires, type Tripwires } from './tripwires.ts';

export interface OpenLane extends Lane, AsyncDisposable {}

/** A sandbox with tripwires around it. `spawnAs` starts its processes in another way than it would;
 * `prepare` runs before the first. */
export async function openLane(
  secret: string,
  input: SandboxInput = {},
  spawnAs: Spawn = (command, args, options) => spawn(command, args, options),
  prepare: (tripwires: Tripwires) => void = () => undefined,
): Promise<OpenLane> {
  const records: ViolationRecord[] = [];
  const pids = new Set<number>();
  const tripwires = await layTripwires(`${secret}-in-a-file`);
  prepare(tripwires);
  const sandbox = await createSandbox(
    {
      tools: abusedTools(secret),
      violationLog: { append: (record) => void records.push(record) },
      ...input,
    },
    {
      spawn: (command, args, options) => {
        const started = spawnAs(command, args, options);
        const { pid } = started;
        if (pid !== undefined) pids.add(pid);
        started.on('close', () => pid !== undefined && pids.delete(pid));
        return started;
      },
    },
  );
  return {
    sandbox,
    tripwires,
    records,
    pids,
    [Symbol.asyncDispose]: async () => {
      await sandbox.close();
      await tripwires[Symbol.asyncDispose]();
    },
  };
}
