import type { GuardedEmitter } from '@buddy/core';
import type { Bot } from '../bot/bot.ts';
import type { BotStatus } from '../bot/status.ts';
import type { EntryProblem } from './file/problem.ts';

/** Of what this registry did itself, once it is on the disk; what other processes write is seen by reading. */
export interface RegistryEvents {
  botCreated: [event: { at: number; bot: Bot }];
  botUpdated: [event: { at: number; bot: Bot }];
  botDeleted: [event: { at: number; bot: Bot }];
  statusChanged: [
    event: { at: number; id: string; from: BotStatus; to: BotStatus; reason?: string },
  ];
  templateChanged: [event: { at: number; template: string; change: 'written' | 'deleted' }];
  /** An entry of the file cannot be read; once for each. The others go on. */
  entryMalformed: [event: { at: number } & EntryProblem];
  /** A file that is no registry, or only a part of one, got another name. */
  fileSetAside: [event: { at: number; file: string; setAsideAs: string; reason: string }];
  /** Was begun anew, with no bots. */
  startedOver: [event: { at: number; file: string }];
}

/** Something to tell, once it is on the disk. */
export type Telling = (emit: GuardedEmitter<RegistryEvents>['emit']) => void;
