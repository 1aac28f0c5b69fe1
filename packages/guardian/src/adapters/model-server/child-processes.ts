import { readdir, readFile } from 'node:fs/promises';
import type { ProcessIdentity } from '../../resource/adapters/service.ts';
import { identify } from '../process/proc.ts';

/** Processes that this one started and that are there now. Needs Linux's `/proc`; elsewhere none are seen. */
export async function childrenOf(pid: number): Promise<ProcessIdentity[]> {
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => '')),
  );
  const pids = lists.flatMap((list) => list.trim().split(' ')).filter((each) => each !== '');
  const found = await Promise.all(pids.map((each) => identify(Number(each))));
  return found.filter((identity) => identity !== undefined);
}
