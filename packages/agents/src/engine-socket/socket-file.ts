import { readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { EngineUnreachableError } from './errors.ts';

/** Says where the engine of a run listens: the socket itself cannot be here, for its path may have 107 bytes only. */
export function socketFileOf(runFolder: string): string {
  return join(runFolder, 'state', 'engine.socket');
}

/** @throws {EngineUnreachableError} When no engine has left word there. */
export async function readSocketFile(runFolder: string): Promise<string> {
  const file = socketFileOf(runFolder);
  const path = await readFile(file, 'utf8').then(
    (text) => text.trimEnd(),
    (cause: unknown) => {
      throw new EngineUnreachableError(
        `No engine works on the run in ${runFolder}: there is no ${file} that can be read`,
        { cause, retryable: true },
      );
    },
  );
  if (isAbsolute(path) && path.endsWith('.sock') && !path.includes('\n')) return path;
  throw new EngineUnreachableError(`${file} was not written by an engine; remove it`);
}
