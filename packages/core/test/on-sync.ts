import { type FileHandle, open } from 'node:fs/promises';
import { vi } from 'vitest';

/**
 * Looks on before every sync, which then goes on; until `vi.restoreAllMocks()`. No file shows whether it was synced: only
 * its handle can tell.
 */
export async function onSync(
  method: 'sync' | 'datasync',
  look: (synced: FileHandle) => Promise<void>,
): Promise<void> {
  const handle = await open('.', 'r');
  const handles: FileHandle = Object.getPrototypeOf(handle);
  await handle.close();
  const sync = handles[method];
  vi.spyOn(handles, method).mockImplementation(async function looking(this: FileHandle) {
    await look(this);
    await sync.call(this);
  });
}
