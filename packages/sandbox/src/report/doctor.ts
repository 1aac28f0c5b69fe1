import type { LaunchPlan, Spawn } from '../host/launch.ts';
import type { Sandbox } from '../sandbox.ts';
export interface Diagnosis { checks: readonly { name: string; isHeld: boolean; details: string }[] }
export async function diagnose(_sandbox: Sandbox, _plan: LaunchPlan, _spawn: Spawn): Promise<Diagnosis> {
  return { checks: [] };
}
