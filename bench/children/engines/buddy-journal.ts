import { join } from 'node:path';
import { createEngine, openJournal } from '../../../packages/agents/src/index.ts';
import { openBuddy } from './buddy-engine.ts';
import type { Calls, EnginePlace, WaveEngine } from './wave-plan.ts';

/** WAL, synchronous FULL: what the journal always does. */
export function openBuddyJournal({ folder }: EnginePlace, calls: Calls): Promise<WaveEngine> {
  const store = openJournal({ file: join(folder, 'journal.db') });
  return openBuddy(createEngine({ store }), calls);
}
