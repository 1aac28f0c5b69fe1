import { BuddyError } from '@buddy/core';

/** A newer version of the package made the engine's tables. */
export class EngineStorageVersionError extends BuddyError {
  readonly code = 'AGENTS_ENGINE_STORAGE_VERSION';
}
