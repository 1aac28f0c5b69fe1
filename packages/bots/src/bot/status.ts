/**
 * What a bot is doing. `stopped` was asked for; `crashed` was not, and nobody will start it again; `backing_off` will be
 * started again in a while; `quarantined` crashed too often and waits for a person.
 */
export const BOT_STATUSES = [
  'registered',
  'starting',
  'running',
  'degraded',
  'stopping',
  'stopped',
  'crashed',
  'backing_off',
  'quarantined',
] as const;
export type BotStatus = (typeof BOT_STATUSES)[number];

/** Every legal move; what is not here is refused. To stay is not a move. */
export const LEGAL_MOVES: Readonly<Record<BotStatus, readonly BotStatus[]>> = {
  registered: ['starting'],
  starting: ['running', 'stopping', 'stopped', 'crashed', 'backing_off', 'quarantined'],
  running: ['degraded', 'stopping', 'stopped', 'crashed', 'backing_off', 'quarantined'],
  degraded: ['running', 'stopping', 'stopped', 'crashed', 'backing_off', 'quarantined'],
  // Who has ended a process that would not end has stopped it all the same.
  stopping: ['stopped', 'crashed'],
  stopped: ['starting'],
  crashed: ['starting', 'quarantined'],
  // Crashed when somebody else is to restart it after all.
  backing_off: ['starting', 'stopped', 'crashed', 'quarantined'],
  quarantined: ['starting', 'stopped'],
};

export function isLegalMove(from: BotStatus, to: BotStatus): boolean {
  return LEGAL_MOVES[from].includes(to);
}
