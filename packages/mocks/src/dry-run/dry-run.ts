import { EnvironmentError } from '../errors.ts';

const YES = new Set(['true', '1', 'yes']);
const NO = new Set(['false', '0', 'no', '']);

/** The part of `process.env` that is read here. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Whether `DRY_RUN` asks for mocks: true, 1 or yes; false, 0, no or nothing; case does not matter.
 * @throws {EnvironmentError} For anything else: taking a misspelt `ture` for false would reach real systems.
 */
export function isDryRun(environment: Environment): boolean {
  const given = environment['DRY_RUN'] ?? '';
  const word = given.trim().toLowerCase();
  if (YES.has(word)) return true;
  if (NO.has(word)) return false;
  throw new EnvironmentError(
    'DRY_RUN',
    `DRY_RUN is "${given}"; set it to true, 1 or yes for mocks, or to false, 0 or no for real systems`,
  );
}
