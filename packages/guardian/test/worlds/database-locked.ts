import type { ProcessIdentity } from '@buddy/guardian';
import { sqliteLock } from '@buddy/guardian/faults';
import type { PlaybookWorld } from '../playbook-contract.ts';
import { makeSqliteWorld } from './sqlite-world.ts';

const { signal } = new AbortController();

/** What holds the lock rolls back when it is sent this signal: that is what it and the application have agreed on. */
export const agreed = {
  isOurs: async () => true,
  endTransaction: async ({ pid }: ProcessIdentity) => void process.kill(pid, 'SIGUSR2'),
};

export async function openLockedWorld(): Promise<PlaybookWorld> {
  const world = await makeSqliteWorld({ ports: { writers: agreed } });
  const { database } = world;
  return {
    resources: [{ id: 'orders', adapter: database }],
    subject: 'orders',
    fault: world.kit.rehearsed(sqliteLock, () => ({ file: world.file })),
    symptom: async () => ({ signal: 'database.locked' }),
    state: async () => ({
      limit: database.writerLimit(),
      isHeld: (await database.lockHolders(signal)).length > 0,
    }),
    // A transaction that was given up is not taken up again.
    afterRollback: () => ({ limit: 4, isHeld: false }),
    close: () => world.close(),
  };
}
