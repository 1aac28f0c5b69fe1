import { join } from 'node:path';
import { createEngine, openJournal } from '../../../packages/agents/src/index.ts';
import { runPlanOn } from './buddy-plan.ts';
import type { Calls, EnginePlace, WaveEngine } from './wave-plan.ts';

/** WAL, synchronous FULL: what the journal always does. */
export function openBuddyJournal({ folder }: EnginePlace, calls: Calls): Promise<WaveEngine> {
  const store = openJournal({ file: join(folder, 'journal.db') });
  return runPlanOn(createEngine({ store }), calls);
}
