import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ApprovalRequest } from '@buddy/governance';
import { SECRET } from './world.ts';

const CHILD = fileURLToPath(new URL('./consuming-child.ts', import.meta.url));

/** Another process that tries to use an approval; see the child itself for the modes. */
export function startConsumer(
  file: string,
  mode: 'end' | 'before' | 'after',
  request: ApprovalRequest,
) {
  const child = spawn(
    process.execPath,
    [
      '--conditions=@buddy/source',
      CHILD,
      file,
      mode,
      JSON.stringify(request),
      Buffer.from(SECRET).toString('hex'),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = once(child, 'exit');
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => lines.push(line));
  const closed = once(reader, 'close');
  return {
    lines,
    /** Resolves with the first line. */
    firstLine: async () => {
      if (lines.length === 0) await Promise.race([once(reader, 'line'), closed]);
      return lines[0];
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    ended: async () => {
      await Promise.all([exited, closed]);
      return lines;
    },
  };
}
