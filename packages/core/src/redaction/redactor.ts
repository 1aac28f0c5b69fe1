import { z } from 'zod';
import { parseOrThrow } from '../parse.ts';
import { redactTree } from './redact-tree.ts';
import { SecretKeys } from './secret-keys.ts';
import { redactText as scanText } from './text/redact-text.ts';

export const RedactionOptions = z.strictObject({
  /** Whether e-mail addresses are replaced. */
  email: z.boolean().default(false),
  /** Whether IPv4 and IPv6 addresses are replaced. */
  ipAddresses: z.boolean().default(true),
  /** Whether long random-looking strings of letters and digits are taken for keys. Some providers' ids look so too. */
  genericKeys: z.boolean().default(true),
  /** Further field names that hold secrets, however they are cased and joined: `licence_number` is also `licenceNumber`. */
  keys: z.array(z.string().min(1)).default([]),
  /** How deep a tree is followed; what lies below becomes `[redacted:too-deep]`. */
  maxDepth: z.int().positive().default(32),
  /** How many values of a tree are copied; what comes after becomes `[redacted:too-many]`. */
  maxValues: z.int().positive().default(100_000),
});
export type RedactionInput = z.input<typeof RedactionOptions>;
export type RedactionOptions = z.output<typeof RedactionOptions>;

/** Takes secrets out of what is about to be logged, stored or shown. Made by `createRedactor`. */
export interface Redactor {
  /**
   * A copy of any value as plain data that JSON can hold, each secret in it replaced by a marker such as
   * `[redacted:password]`: by the name of its field, or by its look in any string. Errors, maps, sets, headers, dates,
   * bytes and bigints become plain data too. Never throws, never changes the value; redacting twice is redacting once.
   */
  readonly redact: (value: unknown) => unknown;
  /** The text with each secret in it replaced. Takes time in proportion to its length, whatever it holds. */
  readonly redactText: (text: string) => string;
}

/**
 * Makes a redactor of its own settings.
 * @throws {InvalidInputError} When an option does not fit.
 * @example
 * const { redact } = createRedactor({ email: true, keys: ['licence_number'] });
 * redact({ to: 'ada@example.com', licenceNumber: 7 }); // { to: '[redacted:email]', licenceNumber: '[redacted:custom]' }
 */
export function createRedactor(input: RedactionInput = {}): Redactor {
  const options = parseOrThrow(RedactionOptions, input, 'options of createRedactor');
  const secretKeys = new SecretKeys(options.keys);
  const textRules = { ...options, secretKeys };
  const treeRules = {
    ...options,
    kindOf: (name: string) => secretKeys.kindOf(name),
    redactText: (text: string) => scanText(text, textRules),
  };
  return { redact: (value) => redactTree(value, treeRules), redactText: treeRules.redactText };
}

const standard = createRedactor();

/**
 * `redact` of a redactor with the default options.
 * @example
 * redact({ user: 'ada', password: 'hunter2' }); // { user: 'ada', password: '[redacted:password]' }
 */
export function redact(value: unknown): unknown {
  return standard.redact(value);
}

/**
 * `redactText` of a redactor with the default options.
 * @example
 * redactText('connect to postgres://ada:hunter2@db'); // 'connect to postgres://ada:[redacted:password]@db'
 */
export function redactText(text: string): string {
  return standard.redactText(text);
}
