import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Child, type ChildEnd } from '../host/child.ts';
import { launch } from '../host/launch.ts';
import type { Check } from './doctor.ts';
import { LIAR_SOURCE } from './probe.ts';
import type { ProbePlace } from './run-probe.ts';

const MAX_FRAME_BYTES = 1_024;
const TIMEOUT_MS = 15_000;

/** Whether a child that says what none of ours says is ended by the host, and not by itself. */
export async function checkHostSide({ folder, plan, spawn }: ProbePlace): Promise<Check> {
  const program = join(folder, 'liar.cjs');
  await writeFile(program, LIAR_SOURCE);
  const child = new Child(launch(spawn, { ...plan, program }), MAX_FRAME_BYTES);
  const { promise, resolve } = Promise.withResolvers<ChildEnd | undefined>();
  const timer = setTimeout(() => resolve(undefined), TIMEOUT_MS);
  child.listen({ message: () => undefined, ended: resolve });
  const end = await promise;
  clearTimeout(timer);
  child.kill();
  return {
    layer: 'host side',
    name: 'send what no child sends',
    isHeld: end?.kind === 'misbehaved',
    details: end === undefined ? 'it was not ended' : end.kind,
  };
}
