import { createDbosEngine } from '@buddy/agents/dbos';
import {
  describeEngine,
  type EnginePlace,
  registrationsOf,
  startPostgres,
  type TemporaryPostgres,
} from '@buddy/agents/testing';
import { systemClock } from '@buddy/core';
import { afterAll, beforeAll, describe, it } from 'vitest';

let postgres: TemporaryPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 30_000);
afterAll(() => postgres.stop());

let places = 0;
async function makePlace(): Promise<EnginePlace> {
  places += 1;
  const databaseUrl = await postgres.createDatabase(`place_${places}`);
  return {
    run: async (setUp, work, { afterMs = 0 } = {}) => {
      await systemClock.sleep(afterMs);
      const engine = createDbosEngine({
        databaseUrl,
        pollMs: 20,
        sweepEveryMs: 50,
        deadAfterMs: 0,
      });
      for (const registration of registrationsOf(setUp(systemClock))) engine.register(registration);
      try {
        const { resumed } = await engine.open();
        return await work({ engine, clock: systemClock, resumed });
      } finally {
        await engine.close();
      }
    },
  };
}

// Between the dispatch of a call and the call itself lie some milliseconds, now more, now less.
describeEngine('an engine over DBOS', makePlace, { describe, it }, { toleranceMs: 250 });
