import { describeFailure, fitForTerminal } from '@buddy/core';
import { Command, CommanderError } from 'commander';
import { answering, type Answer, type Host } from './answer.ts';
import { audit } from './audit-command.ts';
import { policy, rollbacks } from './document-commands.ts';
import { list, recover } from './faults-commands.ts';
import { dryRun, rollBack } from './healing-commands.ts';
import { probe } from './probe-command.ts';
import { stats } from './stats-command.ts';

const EXIT_CODES = `
Each has --json and --help.

Exit codes:
  0  as it should be, or done
  1  the answer is no: a playbook is not good, the target is not well, something could not be taken back
  2  nothing could be said: misspelt, something cannot be read, no such run`;

const CONFIG = '--config <file>';
const CONFIG_ABOUT =
  'the module of your resources and playbooks (default: guardian.config.ts here, if there is one)';
const STORE = '--store <file>';
const STORE_ABOUT = "the guardian's file (default: `store` of the config module)";

type Run = (
  operands: readonly string[],
  options: Readonly<Record<string, unknown>>,
) => Promise<Answer>;

/** Finds the command, runs it, says what came of it. Resolves with the exit code; never rejects. */
export async function runProgram(given: readonly string[], host: Host): Promise<0 | 1 | 2> {
  const isJson = given.includes('--json');
  let exitCode: 0 | 1 | 2 = 0;
  const answered = (command: Command, run: Run): void =>
    answering(command, { host, onExitCode: (code) => (exitCode = code) }, run);
  try {
    await programFor(host, isJson, answered).parseAsync([...given], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0; // help that was asked for
      // What the command was is said already, for people.
      if (isJson) tellFailure(host, 'USAGE', error.message.replace(/^error: /, ''));
      return 2;
    }
    const { code, message } = describeFailure(error);
    if (isJson) tellFailure(host, code, message);
    else host.err(fitForTerminal(`${message}\n`));
    return 2;
  }
}

function tellFailure(host: Host, code: string, message: string): void {
  host.out(`${JSON.stringify({ ok: false, error: { code, message } }, null, 2)}\n`);
}

function programFor(
  host: Host,
  isJson: boolean,
  answered: (command: Command, run: Run) => void,
): Command {
  const program = new Command('buddy-guardian')
    .description(
      'Looks at playbooks, targets and past healings, and takes healings and faults back.',
    )
    .exitOverride()
    .configureOutput({
      writeOut: host.out,
      writeErr: (text) => {
        if (!isJson) host.err(fitForTerminal(text));
      },
    })
    .showHelpAfterError('See buddy-guardian --help.')
    .addHelpText('after', EXIT_CODES);
  answered(
    program
      .command('audit')
      .description('Looks whether every playbook is sound, is armed, and can be tried dry.')
      .addHelpText(
        'after',
        '\nA playbook that is armed for a resource of the config module is tried on it, and looks for real; the others are tried on stand-ins. Nothing is done.',
      )
      .option(CONFIG, CONFIG_ABOUT),
    (_operands, { config }) => audit(config, host),
  );
  answered(
    program
      .command('probe')
      .description('Looks at layers 2 to 7 of a target.')
      .argument(
        '[target]',
        'http://…, https://…, tls://host:port, host:port (default: `layers` of the config module)',
      )
      .option(CONFIG, CONFIG_ABOUT)
      .option('--timeout <ms>', 'each layer has so long', '2000')
      .option('--session <line>', 'layer 5: a line that the target sends back')
      .option('--control-path <path>', 'layer 7: a path that must not be well'),
    ([target], options) => probe(target, options, host),
  );
  answered(
    program
      .command('dry-run')
      .description('Says what a playbook would do to a resource now, and does nothing.')
      .argument('<playbook>', 'its id')
      .argument('<resource>', 'its id')
      .option('--signal <name>', 'the symptom (default: the first that the playbook is for)')
      .option(CONFIG, CONFIG_ABOUT),
    (operands, options) => dryRun(operands, options, host),
  );
  answered(
    program
      .command('rollback')
      .description(
        'Takes back a healing of the past: the undo of each step that was done, the last first.',
      )
      .argument('<run>', 'its id; `stats` lists the last ones')
      .addHelpText(
        'after',
        '\nStop the guardian of the store first: it would take what is taken back for trouble, and heal it again. With --show it may run.',
      )
      .option('--show', 'only says what would be taken back, and how')
      .option(STORE, STORE_ABOUT)
      .option(CONFIG, CONFIG_ABOUT),
    (operands, options) => rollBack(operands, options, host),
  );
  answered(
    program
      .command('stats')
      .description(
        'Says what was healed and what is open, from the file alone; a guardian may run meanwhile.',
      )
      .option(STORE, STORE_ABOUT)
      .option(CONFIG, CONFIG_ABOUT),
    (_operands, options) => stats(options, host),
  );
  const faults = program.command('faults').description('Faults that were injected on purpose.');
  answered(
    faults
      .command('recover')
      .description(
        'Takes back what processes left broken that are no more; those of living ones are left alone.',
      )
      .option('--folder <folder>', 'the revert journal', '.buddy-faults')
      .option(
        '--overdue <seconds>',
        'also those of living processes whose time was over so long ago (default: never)',
      )
      .option(CONFIG, `${CONFIG_ABOUT}; for own \`faults\``),
    (_operands, options) => recover(options, host),
  );
  answered(
    faults
      .command('list')
      .description('Says which faults this machine can have, and why not the others.'),
    list,
  );
  answered(
    program
      .command('policy')
      .description('Prints the policy of @buddy/governance for the playbooks.')
      .option(CONFIG, CONFIG_ABOUT),
    (_operands, { config }) => policy(config, host),
  );
  answered(
    program
      .command('rollbacks')
      .description('Prints how each step of each playbook is taken back, as Markdown.')
      .option(CONFIG, CONFIG_ABOUT),
    (_operands, { config }) => rollbacks(config, host),
  );
  return program;
}
