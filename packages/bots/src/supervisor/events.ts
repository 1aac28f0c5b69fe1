import type { BotExit, ProcessIdentity } from '../bot/bot.ts';
import type { BotStatus } from '../bot/status.ts';
import type { Breach } from '../limits/limit-watch.ts';
import type { LogLine } from '../logs/log-line.ts';

/** `at` is in ms since the epoch. Each is told after the registry has it, as far as the registry can be written. */
export interface SupervisorEvents {
  /** A process runs; it may not be ready yet. */
  botStarted: [event: { at: number; botId: string; process: ProcessIdentity }];
  botReady: [event: { at: number; botId: string; afterMs: number }];
  /** It and its whole tree are gone. `reason` is for people. */
  botExited: [event: { at: number; botId: string; exit: BotExit; reason: string }];
  /** It will be started again after `waitMs`; `restarts` are those within the period, this one too. */
  botRestarting: [event: { at: number; botId: string; waitMs: number; restarts: number }];
  botQuarantined: [event: { at: number; botId: string; reason: string }];
  /** A process of an earlier supervisor is supervised from here on. */
  botAdopted: [event: { at: number; botId: string; process: ProcessIdentity }];
  /** Processes that an earlier supervisor, or a bot that is gone, had left were ended. */
  leftoversEnded: [event: { at: number; botId: string; pids: readonly number[] }];
  /** Not even SIGKILL has ended these: they hang in the kernel. */
  processesStuck: [event: { at: number; botId: string; pids: readonly number[] }];
  /** It is being ended for it. */
  limitExceeded: [event: { at: number; botId: string } & Breach];
  statusChanged: [
    event: {
      at: number;
      botId: string;
      from: BotStatus;
      to: BotStatus;
      reason: string | undefined;
    },
  ];
  lineLogged: [event: { botId: string; line: LogLine }];
  /** What became of a bot could not be recorded; it is tried again with the next change. */
  recordFailed: [event: { at: number; botId: string; error: unknown }];
}
