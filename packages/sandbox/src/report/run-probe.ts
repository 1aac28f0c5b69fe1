import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { launch, type LaunchPlan, type Spawn } from '../host/launch.ts';
import type { Check } from './doctor.ts';

export interface ProbePlace {
  /** For the probes' programs. */
  folder: string;
  plan: LaunchPlan;
  spawn: Spawn;
}

const Probed = z.object({ name: z.string(), isHeld: z.boolean(), details: z.string() });
const TIMEOUT_MS = 15_000;

/**
 * Starts a program in the place of the child's own and collects what it says.
 * @param whileItRuns What is seen of its process from outside, once it has said something.
 */
export async function runProbe(
  source: string,
  layer: string,
  { folder, plan, spawn }: ProbePlace,
  whileItRuns: (pid: number) => Check[] = () => [],
): Promise<Check[]> {
  const program = join(folder, `${layer.replaceAll(' ', '-')}.cjs`);
  await writeFile(program, source);
  const child = launch(spawn, { ...plan, program });
  const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
  const failures: string[] = [];
  child.on('error', (error) => failures.push(error.message));
  child.stdin?.on('error', () => undefined); // gone already: then it did not say `end` either
  const checks: Check[] = [];
  let isWhole = false;
  try {
    if (child.stdout) {
      for await (const line of createInterface({ input: child.stdout })) {
        isWhole = line === 'end';
        if (isWhole) break;
        checks.push({ layer, ...Probed.parse(JSON.parse(line)) });
      }
    }
    if (isWhole && child.pid !== undefined) checks.push(...whileItRuns(child.pid));
  } finally {
    clearTimeout(timer);
    child.stdin?.end();
    child.kill('SIGKILL');
  }
  if (isWhole) return checks;
  const details = ['the probe did not come to its end', ...failures].join(': ');
  return [...checks, { layer, name: 'answer', isHeld: false, details }];
}
