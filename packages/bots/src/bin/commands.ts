import { logs, restart, start, stop } from './control-commands.ts';
import { list, status } from './registry-commands.ts';
import { run } from './run-command.ts';
import { exportBots, importBots } from './transfer-commands.ts';

export const COMMANDS = [
  run,
  list,
  status,
  start,
  stop,
  restart,
  logs,
  importBots,
  exportBots,
] as const;
