import { parseArgs } from 'node:util';
import { describeFailure, fitForTerminal } from '@buddy/core';
import leven from 'leven';
import {
  bareName,
  type Command,
  type CommandResult,
  type Host,
  type OptionDefinition,
  UsageError,
} from './command.ts';

const PROGRAM = 'buddy-bots';

const EXIT_CODES = `Exit codes:
  0  done
  1  the answer is no: there is no such bot, it did not start, the import was refused, entries are malformed
  2  nothing could be done: misspelt, something cannot be read, no supervisor is running
`;

const EVERYWHERE = {
  json: { about: 'the answer as JSON, for programs' },
  help: { short: 'h', about: 'this text' },
} as const satisfies Record<string, OptionDefinition>;

/** Errors that are an answer. */
const REFUSALS = new Set([
  'BOTS_UNKNOWN_BOT',
  'BOTS_MALFORMED_BOT',
  'BOTS_CONTROL_FAILED',
  'BOTS_IMPORT_REFUSED',
  'BOTS_TEMPLATE_BREAKS_BOT',
]);

/** Finds the command, runs it, says what came of it. Resolves with the exit code; never rejects. */
export async function runCommandLine(
  commands: readonly Command[],
  given: readonly string[],
  outside: Omit<Host, 'isJson'>,
): Promise<0 | 1 | 2> {
  const host = { ...outside, isJson: given.includes('--json') };
  try {
    const [name = '', ...rest] = given[0]?.startsWith('-') === true ? ['', ...given] : given;
    const command = commands.find((one) => one.name === name);
    if (!command) return helpOnAll(commands, name, rest, host);
    const { values, isHelp } = valuesOf(command, rest);
    if (isHelp) {
      host.out(helpOn(command));
      return 0;
    }
    const result = await command.run(values, host);
    tell(result, host, host.out);
    return result.exitCode;
  } catch (error) {
    const failure = failureOf(error);
    tell(failure, host, host.err); // where it does not get into a file or the next program
    return failure.exitCode;
  }
}

function failureOf(error: unknown): CommandResult {
  const { code, message } = describeFailure(error);
  const isUsage = error instanceof UsageError;
  return {
    text: isUsage ? `${message}\nSee ${PROGRAM} --help.\n` : `${message}\n`,
    json: { ok: false, error: { code: isUsage ? 'USAGE' : code, message } },
    exitCode: REFUSALS.has(code) ? 1 : 2,
  };
}

function tell({ text, json }: CommandResult, host: Host, write: Host['out']): void {
  if (!host.isJson) write(fitForTerminal(text));
  else if (json !== undefined) host.out(`${JSON.stringify(json, null, 2)}\n`);
}

function valuesOf(
  { operands, options }: Command,
  rest: readonly string[],
): { values: Record<string, unknown>; isHelp: boolean } {
  const { values, positionals } = parsed({ ...options, ...EVERYWHERE }, rest);
  const { help, json: _json, ...own } = values;
  if (help === true) return { values: {}, isHelp: true };
  return { values: { ...own, ...operandsIn(operands, positionals) }, isHelp: false };
}

function operandsIn(
  operands: readonly string[],
  given: readonly string[],
): Record<string, string | readonly string[]> {
  const left = [...given];
  const found: Record<string, string | readonly string[]> = {};
  for (const operand of operands) {
    const name = bareName(operand);
    const first = left.shift();
    if (first === undefined) {
      if (!operand.startsWith('[')) throw new UsageError(`${name.toUpperCase()} is missing.`);
    } else found[name] = operand.endsWith('...') ? [first, ...left.splice(0)] : first;
  }
  if (left.length > 0) throw new UsageError(`"${left.join(' ')}" is more than there is use for.`);
  return found;
}

function parsed(options: Readonly<Record<string, OptionDefinition>>, rest: readonly string[]) {
  try {
    return parseArgs({
      args: [...rest],
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(options).map(([name, { value, short, isRepeatable = false }]) => [
          name,
          {
            type: value === undefined ? ('boolean' as const) : ('string' as const),
            multiple: isRepeatable,
            ...(short !== undefined && { short }),
          },
        ]),
      ),
    });
  } catch (error) {
    const { message } = describeFailure(error);
    const [first = message] = message.split(/(?<=\.) /);
    const misspelt = /'--?([\w-]+)/.exec(first)?.[1];
    const near = misspelt === undefined ? undefined : nearest(misspelt, Object.keys(options));
    const hint = near === undefined || near === misspelt ? '' : ` Did you mean --${near}?`;
    throw new UsageError(`${first}${hint}`, { cause: error });
  }
}

function helpOnAll(
  commands: readonly Command[],
  name: string,
  rest: readonly string[],
  host: Host,
): 0 | 2 {
  const isAsked = rest.includes('--help') || rest.includes('-h') || name === 'help';
  if (name !== '' && !isAsked) {
    const near = nearest(
      name,
      commands.map((command) => command.name),
    );
    const hint = near === undefined ? '' : ` Did you mean "${near}"?`;
    throw new UsageError(`There is no command "${name}".${hint}`);
  }
  if (isAsked) host.out(helpText(commands));
  else host.err(helpText(commands));
  return isAsked ? 0 : 2;
}

function helpText(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => lineOf(command).length));
  const lines = commands.map((command) => `  ${lineOf(command).padEnd(width)}  ${command.about}`);
  return `Usage: ${PROGRAM} COMMAND [OPTIONS]

Commands:
${lines.join('\n')}

Each has --json and --help.

${EXIT_CODES}`;
}

function helpOn(command: Command): string {
  const options = Object.entries<OptionDefinition>({ ...command.options, ...EVERYWHERE });
  const heads = options.map(([name, { value, short }]) => {
    const shortly = short === undefined ? '' : `-${short}, `;
    return `${shortly}--${name}${value === undefined ? '' : ` ${value}`}`;
  });
  const width = Math.max(...heads.map((head) => head.length));
  const lines = options.map(([, { about, isRepeatable = false }], at) => {
    const head = (heads[at] ?? '').padEnd(width);
    return `  ${head}  ${about}${isRepeatable ? '; may be given more than once' : ''}`;
  });
  const notes = command.notes === undefined ? '' : `\n${command.notes}\n`;
  return `Usage: ${PROGRAM} ${lineOf(command)} [OPTIONS]

${command.about}
${notes}
Options:
${lines.join('\n')}

${EXIT_CODES}`;
}

function lineOf({ name, operands }: Command): string {
  return [name, ...operands.map((operand) => operand.toUpperCase())].join(' ');
}

const MAX_TYPOS = 3;

function nearest(word: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((name) => ({ name, typos: leven(word, name) }))
    .filter(({ name, typos }) => typos <= Math.min(MAX_TYPOS, name.length - 1))
    .toSorted((a, b) => a.typos - b.typos);
  return best?.name;
}
