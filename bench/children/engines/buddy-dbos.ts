import { createDbosEngine } from '../../../packages/agents/src/dbos/index.ts';
import { openBuddy } from './buddy-engine.ts';
import { type Calls, type EnginePlace, SLOTS, type WaveEngine } from './wave-plan.ts';

/** With a lane: a call waits for its place in a workflow of its own. */
export function openBuddyDbos({ databaseUrl }: EnginePlace, calls: Calls): Promise<WaveEngine> {
  return openBuddy(createDbosEngine({ databaseUrl, callsAtOnce: SLOTS }), calls);
}

/** Without: a call is a step of its task. */
export function openBuddyDbosSteps(
  { databaseUrl }: EnginePlace,
  calls: Calls,
): Promise<WaveEngine> {
  return openBuddy(createDbosEngine({ databaseUrl }), calls, { hasLane: false });
}
