import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine, openJournal, type WorkflowStore } from '@buddy/agents';
import { describeEngine, type EnginePlace, registrationsOf } from '@buddy/agents/testing';
import { ManualClock } from '@buddy/core';
import { describe, it } from 'vitest';
import { Remembered } from './remembered.ts';

/** One process after the other over what `open` opens, on a clock that goes on between them. */
function placeOf(open: (clock: ManualClock) => WorkflowStore | undefined): EnginePlace {
  let now = new ManualClock().now();
  return {
    run: async (setUp, work, { afterMs = 0 } = {}) => {
      const clock = new ManualClock(now + afterMs);
      const store = open(clock);
      const engine = createEngine({ clock, ...(store && { store }) });
      for (const registration of registrationsOf(setUp(clock))) engine.register(registration);
      try {
        return await clock.run(async () => {
          const { resumed } = await engine.open();
          return work({ engine, clock, resumed });
        });
      } finally {
        await engine.close();
        now = clock.now();
      }
    },
  };
}

describeEngine(
  'an engine in memory',
  () => placeOf(() => undefined),
  { describe, it },
  { isDurable: false },
);

describeEngine(
  'an engine over what is remembered',
  () => {
    let journal = new Remembered();
    return placeOf(() => {
      // The operations stay; what the process before still says does not reach them.
      const next = new Remembered();
      next.operations.push(...journal.operations);
      journal = next;
      return journal.open();
    });
  },
  { describe, it },
);

describeEngine(
  'an engine over a journal in a SQLite file',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'buddy-journal-'));
    const place = placeOf((clock) => openJournal({ file: join(folder, 'journal.db') }, { clock }));
    return { ...place, remove: async () => rmSync(folder, { recursive: true }) };
  },
  { describe, it },
);
