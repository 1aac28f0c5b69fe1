import { InvalidInputError } from '@buddy/core';
import { z } from 'zod';
import { BotDefinition, type BotRole, Deployment, TemplateName } from './bot.ts';
import { deepFreeze } from './deep-freeze.ts';

/** What is written of a deployment, by a bot or by a template: any of its fields. */
export type DeploymentConfig = Partial<z.input<typeof Deployment>>;

/** A part of deployments that several bots share. */
export interface DeploymentTemplate {
  readonly name: string;
  readonly deployment: DeploymentConfig;
}

/**
 * What a person writes about a bot; a `BotDefinition` is what that comes to. What the bot says wins over its template:
 * `restart` and `limits` field by field, everything else whole, lists too.
 */
export interface BotConfig {
  readonly id: string;
  readonly role: BotRole;
  readonly description?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  /** The name of the template that it extends. */
  readonly template?: string | undefined;
  readonly deployment?: DeploymentConfig | undefined;
}

/** What was written, and what it comes to. */
export interface ResolvedBot {
  /** Without what is undefined, the fields in one order. */
  readonly config: BotConfig;
  readonly definition: BotDefinition;
}

/** What came of looking at something written. */
export type Checked<Value> =
  | { readonly success: true; readonly data: Value }
  | { readonly success: false; readonly error: z.ZodError };

/**
 * @param written Checked here: it may come from a file.
 * @param template The one that it names.
 */
export function resolveBot(
  written: unknown,
  template: DeploymentTemplate | undefined,
): Checked<ResolvedBot> {
  const whole = isRecord(written)
    ? { ...written, deployment: extend(template?.deployment ?? {}, written['deployment'] ?? {}) }
    : written;
  const result = BotDefinition.safeParse(whole);
  if (!result.success) return result;
  const config = deepFreeze(pickWritten(result.data, written));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parts of what was checked, and nothing else
  return { success: true, data: { config: config as BotConfig, definition: result.data } };
}

/** @throws {InvalidInputError} Naming each field that does not fit, and why. */
export function resolveBotOrThrow(
  written: BotConfig,
  template: DeploymentTemplate | undefined,
): ResolvedBot {
  const result = resolveBot(written, template);
  if (!result.success) throw new InvalidInputError(`bot "${written.id}"`, result.error);
  return result.data;
}

const WrittenTemplate = z.strictObject({ name: TemplateName, deployment: Deployment });

/** A template need not have a command, which every deployment has. */
const ANY_COMMAND = { command: 'node' };

export function readTemplate(written: unknown): Checked<DeploymentTemplate> {
  const whole = isRecord(written)
    ? { ...written, deployment: extend(ANY_COMMAND, written['deployment']) }
    : written;
  const result = WrittenTemplate.safeParse(whole);
  if (!result.success) return result;
  const template = deepFreeze(pickWritten(result.data, written));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parts of what was checked, and nothing else
  return { success: true, data: template as DeploymentTemplate };
}

const JOINED_BY_FIELD = ['restart', 'limits'];

/** What is no record is left for the schema to complain about. */
function extend(base: Readonly<Record<string, unknown>>, own: unknown): unknown {
  if (!isRecord(own)) return own;
  const joined = JOINED_BY_FIELD.flatMap((name) =>
    isRecord(base[name]) && isRecord(own[name])
      ? [[name, { ...base[name], ...withoutUndefined(own[name]) }]]
      : [],
  );
  return { ...base, ...withoutUndefined(own), ...Object.fromEntries(joined) };
}

/** Of `checked`, in its order, what `written` has too: no defaults, and nothing from a template. */
function pickWritten(checked: unknown, written: unknown): unknown {
  if (!isRecord(checked) || !isRecord(written)) return checked;
  const picked: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(checked)) {
    if (written[name] !== undefined) picked[name] = pickWritten(value, written[name]);
  }
  return picked;
}

function withoutUndefined(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
