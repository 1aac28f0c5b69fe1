import { sqlitePage } from '@buddy/guardian/faults';
import type { PlaybookWorld } from '../playbook-contract.ts';
import { makeSqliteWorld } from './sqlite-world.ts';

export async function openCorruptedWorld(): Promise<PlaybookWorld> {
  const world = await makeSqliteWorld();
  return {
    resources: [{ id: 'orders', adapter: world.database }],
    subject: 'orders',
    fault: world.kit.rehearsed(sqlitePage, () => ({ file: world.file })),
    symptom: async () => ({ signal: 'database.corrupted' }),
    state: async () => ({ file: await world.fingerprint() }),
    afterRollback: readOnly,
    close: () => world.close(),
  };
}

/** Byte for byte what it was, and nobody writes into it any more. */
function readOnly(before: unknown): unknown {
  return { file: { ...fileOf(before), mode: 0o444 } };
}

function fileOf(state: unknown): object {
  if (typeof state === 'object' && state && 'file' in state && typeof state.file === 'object') {
    return state.file ?? {};
  }
  return {};
}
