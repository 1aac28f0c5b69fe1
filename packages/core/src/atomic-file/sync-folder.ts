import { open } from 'node:fs/promises';

/**
 * Makes the names in a folder durable: a file that was synced can still be lost when its folder was not.
 *
 * Does nothing on Windows, which cannot open a folder as a file and journals names by itself.
 */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
