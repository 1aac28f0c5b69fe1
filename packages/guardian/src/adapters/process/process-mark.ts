import type { ProcessIdentity } from '../../resource/adapters/service.ts';
import { hasInEnvironment } from './proc.ts';

/** By this variable in its environment a process, and all that came from it, is known to be of a service. */
export const MARK = 'BUDDY_SERVICE';

/** What stands in the variable. */
export function markOf({ stateFolder, id }: { stateFolder: string; id: string }): string {
  return `${stateFolder}/${id}`;
}

/** Whether a process bears the mark. One whose environment cannot be read is another user's, and not ours. */
export function bearsMark(identity: ProcessIdentity, mark: string): Promise<boolean> {
  return hasInEnvironment(identity, MARK, mark);
}
