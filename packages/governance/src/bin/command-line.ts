import { parseArgs } from 'node:util';
import { describeFailure } from '@buddy/core';
import leven from 'leven';
import type { CommandResult } from '../policy/commands.ts';
import {
  type Command,
  fitForTerminal,
  type Host,
  type OptionDefinition,
  UsageError,
} from './command.ts';

const PROGRAM = 'buddy-governance';

const EXIT_CODES = `Exit codes:
  0  as it should be, or done
  1  the answer is no: the policy is not good, decisions would change, the log is not intact, the vote was refused
  2  nothing could be said: misspelt, or something cannot be read
`;

const EVERYWHERE = {
  json: { about: 'the answer as JSON, for programs' },
  help: { about: 'this text' },
} as const satisfies Record<string, OptionDefinition>;

/** Finds the command, runs it, says what came of it. Resolves with the exit code; never rejects. */
export async function runCommandLine(
  commands: readonly Command[],
  given: readonly string[],
  host: Host,
): Promise<0 | 1 | 2> {
  const isJson = given.includes('--json');
  try {
    const { words, rest } = splitWords(given);
    const command = commands.find(({ name }) => name === words.join(' '));
    if (!command) return helpOn(commands, words, rest, host);
    const { values, isHelp } = valuesOf(command, rest);
    if (isHelp) {
      host.out(helpOf(command));
      return 0;
    }
    const result = await command.run(values, host);
    tell(result, isJson, host);
    return result.exitCode;
  } catch (error) {
    const { code, message } = describeFailure(error);
    const isUsage = error instanceof UsageError;
    const failure = fitForTerminal({
      text: isUsage ? `${message}\nSee ${PROGRAM} --help.\n` : `${message}\n`,
      json: { ok: false, error: { code: isUsage ? 'USAGE' : code, message } },
      exitCode: 2,
    });
    tell(failure, isJson, host);
    return 2;
  }
}

/** What could not be said at all goes where it does not get into a file or the next program. */
function tell({ text, json, exitCode }: CommandResult, isJson: boolean, host: Host): void {
  if (isJson && json !== undefined) host.out(`${JSON.stringify(json, null, 2)}\n`);
  else if (exitCode === 2) host.err(text);
  else host.out(text);
}

const MAX_WORDS = 2;

/** The words in front are the command's name; the rest is its own. */
function splitWords(given: readonly string[]): { words: string[]; rest: string[] } {
  const dash = given.findIndex((word) => word.startsWith('-'));
  const count = Math.min(dash === -1 ? given.length : dash, MAX_WORDS);
  return { words: given.slice(0, count), rest: given.slice(count) };
}

function valuesOf(
  { operands, optionalOperands = [], options }: Command,
  rest: readonly string[],
): { values: Record<string, unknown>; isHelp: boolean } {
  const { values, positionals } = parsed({ ...options, ...EVERYWHERE }, rest);
  const { help, json: _json, ...own } = values;
  if (help === true) return { values: {}, isHelp: true };
  const missing = operands.slice(positionals.length);
  if (missing.length > 0) throw new UsageError(`${missing.map(upper).join(', ')} is missing.`);
  const places = [...operands, ...optionalOperands];
  const extra = positionals.slice(places.length);
  if (extra.length > 0) throw new UsageError(`"${extra.join(' ')}" is more than there is use for.`);
  const named = Object.fromEntries(
    places.slice(0, positionals.length).map((name, at) => [name, positionals[at]]),
  );
  return { values: { ...own, ...named }, isHelp: false };
}

function parsed(options: Readonly<Record<string, OptionDefinition>>, rest: readonly string[]) {
  try {
    return parseArgs({
      args: [...rest],
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(options).map(([name, { value, isRepeatable = false }]) => [
          name,
          { type: value === undefined ? 'boolean' : 'string', multiple: isRepeatable },
        ]),
      ),
    });
  } catch (error) {
    const { message } = describeFailure(error);
    const [first = message] = message.split(/(?<=\.) /);
    const misspelt = /'--?([\w-]+)/.exec(first)?.[1];
    const near = misspelt === undefined ? undefined : nearest(misspelt, Object.keys(options));
    throw new UsageError(`${first}${near === undefined ? '' : ` Did you mean --${near}?`}`, {
      cause: error,
    });
  }
}

/** Of all commands, or of those that begin with the word that was given. */
function helpOn(
  commands: readonly Command[],
  words: readonly string[],
  rest: readonly string[],
  host: Host,
): 0 | 2 {
  const topic = words.join(' ');
  const found = commands.filter(({ name }) => topic === '' || name.startsWith(`${topic} `));
  const names = commands.map(({ name }) => name);
  if (found.length === 0) {
    const near = nearest(topic, [...names, ...names.map((name) => name.split(' ')[0] ?? name)]);
    const hint = near === undefined ? '' : ` Did you mean "${near}"?`;
    throw new UsageError(`There is no command "${topic}".${hint}`);
  }
  const width = Math.max(...found.map((command) => lineOf(command).length));
  const lines = found.map((command) => `  ${lineOf(command).padEnd(width)}  ${command.about}`);
  const text = `Usage: ${PROGRAM} COMMAND [OPTIONS]\n\nCommands:\n${lines.join('\n')}\n\nEach has --json and --help.\n\n${EXIT_CODES}`;
  if (rest.includes('--help')) {
    host.out(text);
    return 0;
  }
  host.err(text);
  return 2;
}

function helpOf(command: Command): string {
  const options = Object.entries<OptionDefinition>({ ...command.options, ...EVERYWHERE });
  const heads = options.map(([name, { value }]) => `--${name}${value ? ` ${value}` : ''}`);
  const width = Math.max(...heads.map((head) => head.length));
  const lines = options.map(([, { about, isRepeatable }], at) => {
    const head = (heads[at] ?? '').padEnd(width);
    return `  ${head}  ${about}${isRepeatable === true ? '; may be given more than once' : ''}`;
  });
  const notes = command.notes === undefined ? '' : `\n${command.notes}\n`;
  return `Usage: ${PROGRAM} ${lineOf(command)} [OPTIONS]\n\n${command.about}\n${notes}\nOptions:\n${lines.join('\n')}\n\n${EXIT_CODES}`;
}

function lineOf({ name, operands, optionalOperands = [] }: Command): string {
  const optional = optionalOperands.map((operand) => `[${upper(operand)}]`);
  return [name, ...operands.map(upper), ...optional].join(' ');
}

function upper(name: string): string {
  return name.toUpperCase();
}

const MAX_TYPOS = 3;

function nearest(word: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((name) => ({ name, typos: leven(word, name) }))
    .filter(({ typos }) => typos <= MAX_TYPOS)
    .toSorted((a, b) => a.typos - b.typos);
  return best?.name;
}
