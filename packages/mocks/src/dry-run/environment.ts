import { NotConfiguredError, type Provider } from '../errors.ts';
import type { Environment } from './dry-run.ts';

/** What a variable holds, without the spaces around it; undefined when that is nothing. */
export function read(environment: Environment, variable: string): string | undefined {
  const value = environment[variable]?.trim();
  return value === '' ? undefined : value;
}

/** @throws {NotConfiguredError} When the variable holds nothing. */
export function readRequired(
  environment: Environment,
  variable: string,
  { provider, what }: { provider: Provider; what: string },
): string {
  const value = read(environment, variable);
  if (value !== undefined) return value;
  throw new NotConfiguredError(
    variable,
    `${variable} is not set: the real ${provider} client needs ${what}; set it, or set DRY_RUN=true to work with the mock`,
  );
}
