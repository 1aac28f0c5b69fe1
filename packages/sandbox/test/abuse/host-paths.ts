import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';

/** Paths of this machine that nothing may tell: of the repository, of Node, of the child's program. */
export function hostPaths(): readonly string[] {
  const repository = fileURLToPath(new URL('../../../..', import.meta.url)).replace(/\/$/, '');
  const home = homedir();
  return [repository, process.execPath, ...(home.length > 5 ? [home] : [])];
}
