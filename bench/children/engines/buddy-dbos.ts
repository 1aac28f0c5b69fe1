import { createDbosEngine } from '../../../packages/agents/src/dbos/index.ts';
import { runPlanOn } from './buddy-plan.ts';
import { type Calls, type EnginePlace, SLOTS, type WaveEngine } from './wave-plan.ts';

export function openBuddyDbos({ databaseUrl }: EnginePlace, calls: Calls): Promise<WaveEngine> {
  return runPlanOn(createDbosEngine({ databaseUrl, callsAtOnce: SLOTS }), calls);
}
