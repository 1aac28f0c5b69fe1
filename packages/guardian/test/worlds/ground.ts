import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FaultKit, openFaultKit } from '@buddy/guardian/faults';

/** A folder and a kit of faults, for one world. */
export interface Ground {
  folder: string;
  kit: FaultKit;
  /** Takes back all faults, then what `more` says, then the folder. */
  close: (more?: () => Promise<void>) => Promise<void>;
}

export async function openGround(name: string): Promise<Ground> {
  const folder = await mkdtemp(join(tmpdir(), `guardian-${name}-`));
  const kit = openFaultKit({ folder: join(folder, 'faults') });
  return {
    folder,
    kit,
    close: async (more = async () => undefined) => {
      await kit.close();
      await more();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await isSo()); waited += 10) {
    if (waited > 20_000) throw new Error('it never was so');
    await sleep(10);
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
