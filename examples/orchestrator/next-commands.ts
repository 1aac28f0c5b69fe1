import { join } from 'node:path';
import { LOG_FILE } from './gate.ts';
import { stateFolderOf } from './saved-run.ts';

/** What people type to decide on what waits, and to go on. */
export interface NextCommands {
  list: string;
  approve: string;
  /** Says what it would approve; `--yes` does it. */
  approveAll: string;
  deny: string;
  goOn: string;
}

export function nextCommands(runFolder: string): NextCommands {
  const database = quoted(join(stateFolderOf(runFolder), LOG_FILE));
  return {
    list: `npx -y pnpm@12 governance approvals list --database ${database}`,
    approve: `npx -y pnpm@12 governance approvals approve ID --database ${database}`,
    approveAll: `npx -y pnpm@12 governance approvals approve --all-matching --action '**' --database ${database}`,
    deny: `npx -y pnpm@12 governance approvals deny ID --database ${database}`,
    goOn: `npx -y pnpm@12 start --go-on ${quoted(runFolder)}`,
  };
}

/** As a POSIX shell takes it for one word. */
function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
