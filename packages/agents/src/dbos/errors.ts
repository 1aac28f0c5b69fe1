import { BuddyError } from '@buddy/core';

/** A newer version of the package made the engine's tables. */
export class EngineStorageVersionError extends BuddyError {
  readonly code = 'AGENTS_ENGINE_STORAGE_VERSION';
}

/** What the engine's tables refer to is not in them. */
export class EngineStorageReadError extends BuddyError {
  readonly code = 'AGENTS_ENGINE_STORAGE_READ';
}

/** The database cannot be reached, or not be used; `cause` says what Postgres or the system said. */
export class EngineConnectionError extends BuddyError {
  readonly code = 'AGENTS_ENGINE_CONNECTION';

  constructor(databaseUrl: string, cause: unknown) {
    const { host, pathname, username } = new URL(databaseUrl); // never the password
    super(
      `Cannot use database ${pathname.slice(1) || username} at ${host} as ${username || 'nobody in particular'}: ${saidBy(cause)}; see databaseUrl, and the rights of that user`,
      { cause },
    );
  }
}

/** An attempt at several addresses fails with an error that has no words of its own. */
function saidBy(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(saidBy).join(', ');
  return error instanceof Error ? error.message : String(error);
}
