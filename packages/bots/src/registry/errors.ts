import { BuddyError } from '@buddy/core';
import type { BotStatus } from '../bot/status.ts';
import type { Problem } from './file/problem.ts';

/** There is no bot of this id. */
export class UnknownBotError extends BuddyError {
  readonly code = 'BOTS_UNKNOWN_BOT';
  readonly botId: string;

  constructor(botId: string) {
    super(`There is no bot "${botId}".`);
    this.botId = botId;
  }
}

/** A bot of this id is there already, or an entry of this id that cannot be read. */
export class DuplicateBotError extends BuddyError {
  readonly code = 'BOTS_DUPLICATE_BOT';
  readonly botId: string;

  constructor(botId: string) {
    super(`There is a bot "${botId}" already; update it, or choose another id.`);
    this.botId = botId;
  }
}

/** What the registry's file says of a bot does not have the shape it must have. The entry is kept as it is. */
export class MalformedBotError extends BuddyError {
  readonly code = 'BOTS_MALFORMED_BOT';
  readonly botId: string;
  readonly problems: readonly Problem[];

  constructor(botId: string, problems: readonly Problem[]) {
    const told = problems.map(({ path, reason }) => `${path}: ${reason}`).join('\n');
    super(`The entry of bot "${botId}" cannot be read; delete it and create it again:\n${told}`);
    this.botId = botId;
    this.problems = problems;
  }
}

/** A bot cannot get from this status to that; nothing was recorded. */
export class IllegalMoveError extends BuddyError {
  readonly code = 'BOTS_ILLEGAL_MOVE';
  readonly botId: string;
  readonly from: BotStatus;
  readonly to: BotStatus;

  constructor(botId: string, from: BotStatus, to: BotStatus, legal: readonly BotStatus[]) {
    super(`Bot "${botId}" is ${from}; it may become ${legal.join(', ')}, not ${to}.`);
    this.botId = botId;
    this.from = from;
    this.to = to;
  }
}

/** A bot that runs, or will be started again, is not deleted. */
export class BotRunningError extends BuddyError {
  readonly code = 'BOTS_BOT_RUNNING';
  readonly botId: string;
  readonly status: BotStatus;

  constructor(botId: string, status: BotStatus) {
    super(`Bot "${botId}" is ${status}; stop it before you delete it.`);
    this.botId = botId;
    this.status = status;
  }
}

/** Other bots depend on it. */
export class BotRequiredError extends BuddyError {
  readonly code = 'BOTS_BOT_REQUIRED';
  readonly botId: string;
  readonly dependents: readonly string[];

  constructor(botId: string, dependents: readonly string[]) {
    super(`Bot "${botId}" is not deleted, for others depend on it: ${dependents.join(', ')}.`);
    this.botId = botId;
    this.dependents = dependents;
  }
}

/** A bot depends on one that is not there, or, around a corner or not, on itself. */
export class DependencyError extends BuddyError {
  readonly code = 'BOTS_DEPENDENCY';
  readonly botId: string;

  constructor(botId: string, message: string) {
    super(message);
    this.botId = botId;
  }
}

/** The definition was written by somebody else since it was read; nothing was changed. */
export class RevisionConflictError extends BuddyError {
  readonly code = 'BOTS_REVISION_CONFLICT';
  readonly botId: string;
  /** The one that it has now. */
  readonly revision: number;

  constructor(botId: string, expected: number, revision: number) {
    super(
      `Bot "${botId}" was written by somebody else: it has revision ${revision}, not ${expected}. Read it again, and decide again.`,
    );
    this.botId = botId;
    this.revision = revision;
  }
}

/** There is no template of this name. */
export class UnknownTemplateError extends BuddyError {
  readonly code = 'BOTS_UNKNOWN_TEMPLATE';
  readonly template: string;

  constructor(template: string, known: Iterable<string>) {
    const names = [...known].toSorted();
    const hint = names.length === 0 ? 'There are none.' : `There are ${names.join(', ')}.`;
    super(`There is no template "${template}". ${hint}`);
    this.template = template;
  }
}

/** Bots extend it. */
export class TemplateInUseError extends BuddyError {
  readonly code = 'BOTS_TEMPLATE_IN_USE';
  readonly template: string;
  readonly bots: readonly string[];

  constructor(template: string, bots: readonly string[]) {
    super(`Template "${template}" is not deleted, for bots extend it: ${bots.join(', ')}.`);
    this.template = template;
    this.bots = bots;
  }
}

/** A bot that extends the template would not be a whole one any more; nothing was changed. */
export class TemplateBreaksBotError extends BuddyError {
  readonly code = 'BOTS_TEMPLATE_BREAKS_BOT';
  readonly template: string;
  readonly botId: string;

  constructor(template: string, botId: string, cause: Error) {
    super(
      `Template "${template}" is not changed, for bot "${botId}" extends it:\n${cause.message}`,
      { cause },
    );
    this.template = template;
    this.botId = botId;
  }
}

/** The file is torn, no registry at all, or gone. Nothing was overwritten, and nothing goes on as if there were no bots. */
export class RegistryDamagedError extends BuddyError {
  readonly code = 'BOTS_REGISTRY_DAMAGED';
  readonly file: string;
  readonly reason: string;
  /** Whether what was found is still where it was. A reader leaves it there, a writer sets it aside. */
  readonly isInPlace: boolean;
  /** Where what was found is now. */
  readonly setAsideAs: string | undefined;

  constructor(
    file: string,
    reason: string,
    { isInPlace = false, setAsideAs }: { isInPlace?: boolean; setAsideAs?: string } = {},
  ) {
    const where = setAsideAs === undefined ? '' : ` What was found is kept as ${setAsideAs}.`;
    super(
      `The registry ${file} cannot be used: ${reason}.${where} Put a whole file in its place, or begin anew: startOver(), or buddy-bots import FILE --start-over.`,
    );
    this.file = file;
    this.reason = reason;
    this.isInPlace = isInPlace;
    this.setAsideAs = setAsideAs;
  }
}

/** `startOver` found a registry that can be read; nothing was changed. */
export class RegistryIntactError extends BuddyError {
  readonly code = 'BOTS_REGISTRY_INTACT';

  constructor(file: string) {
    super(`The registry ${file} is whole; delete bots one by one if you do not want them.`);
  }
}

/** A later version of Buddy wrote it. The file was not touched. */
export class TooNewError extends BuddyError {
  readonly code = 'BOTS_TOO_NEW';
  readonly version: number;

  constructor(subject: string, version: number, known: number) {
    super(
      `${subject} is of version ${version}; this @buddy/bots reads version ${known} and has left it alone. Use a newer one.`,
    );
    this.version = version;
  }
}

/** Other processes wrote all the time; nothing was changed, and it may be tried again. */
export class RegistryBusyError extends BuddyError {
  readonly code = 'BOTS_REGISTRY_BUSY';

  constructor(message: string) {
    super(message, { retryable: true });
  }
}

/** The lock that writers take in turns cannot be had at all. Nothing was changed. */
export class RegistryLockError extends BuddyError {
  readonly code = 'BOTS_REGISTRY_LOCK';

  constructor(lockFile: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      `Cannot lock ${lockFile}: ${reason}. It has to be an empty file of the registry's own, on a disk of this machine.`,
      { cause },
    );
  }
}

/** What should be imported, or run, is no document of bots. */
export class DocumentError extends BuddyError {
  readonly code = 'BOTS_DOCUMENT';
}

/** Bots or templates of the document are there already, and are not the same. Nothing was changed. */
export class ImportRefusedError extends BuddyError {
  readonly code = 'BOTS_IMPORT_REFUSED';
  readonly conflicts: readonly string[];

  constructor(conflicts: readonly string[]) {
    super(
      `Nothing was imported, for these are there already and differ: ${conflicts.join(', ')}. Say whether to replace or to skip them.`,
    );
    this.conflicts = conflicts;
  }
}
