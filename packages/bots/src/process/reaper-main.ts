import { createInterface } from 'node:readline';
import { Cgroup } from './cgroups.ts';
import { endTree } from './end-tree.ts';
import { MarkedTree } from './marked-tree.ts';
import { ownProcessTable } from './own-process-table.ts';
import type { ReaperMessage } from './reaper-messages.ts';
import { Sweeps } from './sweeps.ts';

// Started beside a supervisor. Its standard input ends when the supervisor does, however that happens; then it ends the trees
// that it was told of. It imports nothing but Node's own modules and these few, so that it is small.

type Watched = Extract<ReaperMessage, { kind: 'watch' }>;

// A terminal's Ctrl-C and a service manager's SIGTERM are for the supervisor, which has us know by its end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const watched = new Map<string, Watched>();
for await (const line of createInterface({ input: process.stdin })) {
  const message = readMessage(line);
  switch (message?.kind) {
    case 'watch':
      watched.set(message.mark, message);
      break;
    case 'forget':
      watched.delete(message.mark);
      break;
    case undefined:
      break;
  }
}
await endAll([...watched.values()]);

/** Undefined for half a line: the supervisor was ended while it wrote. */
function readMessage(line: string): ReaperMessage | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function endAll(trees: readonly Watched[]): Promise<void> {
  const table = ownProcessTable(process.argv[2] === 'ps' ? 'ps' : undefined);
  if (!table) return;
  const sweeps = new Sweeps(table);
  const clock = {
    monotonic: () => performance.now(),
    sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
  };
  await Promise.all(
    trees.map(async ({ mark, graceMs, cgroup: folder, leader }) => {
      const cgroup = folder === undefined ? undefined : new Cgroup(folder);
      const options = { mark, cgroup, ...(leader && { leader }), isLeaderHeld: () => false };
      await endTree(new MarkedTree(options, table, sweeps), { graceMs, ...clock });
      await cgroup?.remove();
    }),
  );
}
