import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createBotRegistry } from '@buddy/bots';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type Ended, Program, registryIn, runIn } from './bin/program.ts';
import { config, newFolder } from './registry/world.ts';

const COMMANDS = 'run list status start stop restart logs import export'.split(' ');

let folder: string;
beforeEach(() => {
  folder = newFolder();
});

describe('the program buddy-bots', () => {
  it('has help for all of it and for each command', async () => {
    const whole = await run('--help');
    expect(whole.code).toBe(0);
    for (const command of COMMANDS) expect(whole.out).toMatch(new RegExp(`^  ${command} `, 'm'));
    const helps = await Promise.all(COMMANDS.map((command) => run(`${command} --help`)));
    for (const [at, { code, out }] of helps.entries()) {
      expect(code).toBe(0);
      expect(out).toMatch(new RegExp(`^Usage: buddy-bots ${COMMANDS[at]}`));
      expect(out).toMatch(/--registry FILE|-h, --help/);
      expect(out).toMatch('Exit codes:');
    }
  });

  it('says what is misspelt, and what was meant', async () => {
    const tries = await Promise.all(
      ['lst', 'list --stats running', 'list --status runing', 'logs', 'export x', ''].map(run),
    );
    expect(tries.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2, 2]);
    expect(tries.map(({ out }) => out).join('')).toBe('');
    const [lst, stats, runing, logs, extra, none] = tries.map(({ err }) => err);
    expect(lst).toMatch('There is no command "lst". Did you mean "list"?');
    expect(stats).toMatch('Did you mean --status?');
    expect(runing).toMatch(/--status: .*"running"/);
    expect(logs).toMatch('BOT is missing.');
    expect(extra).toMatch('"x" is more than there is use for.');
    expect(none).toMatch('Usage: buddy-bots COMMAND');
  });

  it('is a program: it runs in a process of its own, with the registry of the folder', async () => {
    await registryOf(config('crawler'));
    const ended = await new Program(folder, 'list').end();
    expect(ended).toMatchObject({ code: 0, out: expect.stringMatching(/^crawler/m), err: '' });
    expect((await new Program(folder, 'lst').end()).code).toBe(2);
    const nowhere = await new Program(folder, 'list --registry none/bots.json').end();
    expect(nowhere).toMatchObject({ code: 2, err: expect.stringMatching(/^Cannot read none/) });
  });

  it('says so when there is no registry, or no supervisor', async () => {
    const missing = await run('list --json');
    expect(missing.code).toBe(2);
    expect(JSON.parse(missing.out)).toEqual({
      ok: false,
      error: { code: 'BOTS_NO_REGISTRY', message: expect.stringContaining('--registry') },
    });
    await registryOf(config('crawler'));
    const start = await run('start crawler');
    expect(start).toMatchObject({ code: 2, err: expect.stringContaining('No supervisor of') });
  });

  it('lists bots in a table for people, and as JSON for programs', async () => {
    const registry = await registryOf(
      config('crawler', { tags: ['crm', 'eu'] }),
      config('mailer', { role: 'monitor', description: 'Sends \u001B[31mred mail' }),
    );
    await registry.record('crawler', { status: 'starting', restarts: 3 });
    await registry.record('crawler', { status: 'quarantined', statusReason: '6 in\u001B[2J 60 s' });
    const table = await run('list');
    expect(table).toMatchObject({ code: 0, err: '' });
    expect(table.out.replaceAll(/\d+ (?:s|min)(?= )/g, 'N s')).toBe(
      `ID       ROLE     STATUS       FOR  RESTARTS  TAGS    WHY
crawler  worker   quarantined  N s  3         crm eu  6 in\\u{1b}[2J 60 s
mailer   monitor  registered   N s  0         -       -
2 of 2 bots.
`,
    );
    const json = await run('list --status registered --role monitor --text MAIL --json');
    expect(JSON.parse(json.out)).toMatchObject({
      total: 1,
      bots: [{ id: 'mailer', status: 'registered', deployment: { stop_grace_ms: 5_000 } }],
      problems: [],
    });
    const page = await run('list --limit 1');
    expect(page.out).toMatch(/1 of 2 bots\.\nThe next page: --after \S+\n/);
    const after = /--after (\S+)/.exec(page.out)?.[1];
    expect((await run(`list --limit 1 --after ${after}`)).out).toMatch(/^mailer/m);
  });

  it('shows all about one bot', async () => {
    await registryOf(config('crawler', { description: 'Crawls.' }));
    const shown = await run('status crawler');
    expect(shown.out).toMatch(/^description +Crawls\.$/m);
    expect(shown.out).toMatch('No supervisor is running: this is what was last recorded.');
    const unknown = await run('status nobody');
    expect(unknown).toMatchObject({ code: 1, err: 'There is no bot "nobody".\n' });
  });

  it('exports what it imports, and says beforehand what an import would do', async () => {
    await writeBots('one.json', [config('crawler'), config('mailer')]);
    const dry = await run('import one.json --dry-run');
    expect(dry.out).toMatch(/^would be added {2}bot crawler$/m);
    expect((await run('export')).code).toBe(2);
    expect(await run('import one.json')).toMatchObject({ code: 0 });
    const exported = await run('export');
    expect(JSON.parse(exported.out)).toMatchObject({ bots: [{ id: 'crawler' }, { id: 'mailer' }] });
    await writeFile(join(folder, 'exported.json'), exported.out);
    expect((await run('import exported.json')).out).toMatch('0 added, 0 replaced, 0 skipped, 2');
  });

  it('refuses conflicts, unless it is told to replace or to skip them', async () => {
    await registryOf(config('crawler'));
    await writeBots('other.json', [{ ...config('crawler'), role: 'monitor' }]);
    const refused = await run('import other.json');
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('bot crawler') });
    const dry = await run('import other.json --dry-run');
    expect(dry.code).toBe(1);
    expect(dry.out).toMatch('conflict  bot crawler\n    role: "worker" -> "monitor"\n');
    expect((await run('import other.json --skip')).out).toMatch('1 skipped');
    const replaced = await run('import other.json --replace --json');
    expect(JSON.parse(replaced.out)).toMatchObject({ replaced: [{ name: 'crawler' }] });
    expect((await run('import other.json --replace --skip')).code).toBe(2);
  });

  it('names what is malformed with path and reason, takes the others, and ends with 1', async () => {
    const broken = { ...config('broken'), deployment: { command: 'node', env: ['TOKEN=x'] } };
    await writeBots('bots.json', [broken, config('crawler')]);
    const { code, out } = await run('import bots.json');
    expect(code).toBe(1);
    expect(out).toMatch(
      'bots[0].deployment.env[0] (broken): must be the name of a variable; values are never stored',
    );
    expect((await run('list')).out).toMatch('1 of 1 bots.');
  });

  it('leaves a damaged registry alone, and begins anew when it is told to', async () => {
    await registryOf(config('crawler'));
    await truncate(registryIn(folder), 100);
    const damaged = await run('list');
    expect(damaged).toMatchObject({ code: 2, err: expect.stringContaining('torn') });
    expect((await readFile(registryIn(folder))).length).toBe(100);
    await writeBots('bots.json', [config('mailer')]);
    expect(await run('import bots.json')).toMatchObject({ code: 2 });
    expect(await run('import bots.json --start-over')).toMatchObject({ code: 0 });
    expect((await run('list')).out).toMatch('mailer');
  });
});

describe('buddy-bots run', () => {
  it('runs the bots of a file and does what others ask of it, until it is interrupted', async () => {
    await writeBots('bots.json', [
      bot('ticker', "setInterval(() => console.log('tick'), 50)", {
        readiness: { kind: 'line', text: 'tick' },
      }),
      bot('mailer', 'setInterval(() => {}, 1000)', { depends_on: ['ticker'] }),
      { id: 'broken', role: 'boss' },
    ]);
    const supervisor = await runs('run bots.json', 'mailer: ready');
    expect(supervisor.err).toMatch('bots[2].role (broken)');
    expect(supervisor.out.indexOf('ticker: ready')).toBeLessThan(
      supervisor.out.indexOf('mailer: started'),
    );

    const status = JSON.parse((await run('status --json')).out);
    expect(status).toMatchObject({
      is_supervised: true,
      bots: [
        { id: 'ticker', status: 'running', pid: expect.any(Number) },
        { id: 'mailer', status: 'running' },
      ],
    });
    expect((await run('logs ticker -n 1')).out).toMatch(/^\S+Z \| tick\n$/);

    const second = await run('run bots.json');
    expect(second).toMatchObject({ code: 2, err: expect.stringContaining('running already') });

    const stopped = await run('stop ticker');
    expect(stopped).toMatchObject({ code: 0, out: 'ticker is stopped, after mailer.\n' });
    expect((await run('list --status running')).out).toMatch('0 of 0 bots.');
    expect(await run('start mailer')).toMatchObject({ code: 0, out: 'mailer is ready.\n' });
    const restarted = await run('restart ticker --json');
    expect(JSON.parse(restarted.out)).toEqual({ bots: [{ id: 'ticker', status: 'ready' }] });
    expect(await run('start nobody')).toMatchObject({
      code: 1,
      err: 'There is no bot "nobody".\n',
    });

    const following = await runs('logs ticker -f -n 0', 'tick');
    following.interrupt();
    expect(await following.end()).toMatchObject({ code: 0, err: '' });

    const pids = JSON.parse((await run('status --json')).out).bots.map(
      (one: { pid: number }) => one.pid,
    );
    supervisor.interrupt('SIGTERM');
    expect(await supervisor.end()).toMatchObject({ code: 0 });
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect((await run('status')).out).toMatch(/^ticker +stopped[^]*No supervisor is running/m);
  });

  it('stops its bots when nobody reads any more what it tells', async () => {
    await writeBots('bots.json', [bot('ticker', 'setInterval(() => {}, 1000)', {})]);
    const supervisor = await runs('run bots.json', 'ticker: ready');
    const status = JSON.parse((await run('status --json')).out);
    supervisor.stopReading();
    await run('restart ticker'); // of which it tells
    expect(await supervisor.end()).toMatchObject({ code: 0 });
    expect(() => process.kill(status.bots[0].pid, 0)).toThrow('ESRCH');
    expect((await run('list --status stopped')).out).toMatch('1 of 1 bots.');
  });

  it('tells programs each event as a document of one line', async () => {
    await writeBots('bots.json', [
      bot('crasher', 'process.exit(3)', { restart: { kind: 'temporary' } }),
    ]);
    const supervisor = await runs('run bots.json --json', '"to":"crashed"');
    supervisor.interrupt();
    const { out } = await supervisor.end();
    const events = out
      .trim()
      .split('\n')
      .map((line): Record<string, unknown> => JSON.parse(line));
    expect(events.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['botStarted', 'botExited', 'statusChanged']),
    );
    expect(events.find(({ event }) => event === 'botExited')).toMatchObject({
      bot_id: 'crasher',
      exit: { kind: 'crash', exit_code: 3 },
      at: expect.stringMatching(/Z$/),
    });
  });

  it('says what is wrong with its file, and starts nothing', async () => {
    await writeFile(join(folder, 'bots.json'), '{"format":"buddy-bots",');
    const torn = await run('run bots.json');
    expect(torn).toMatchObject({ code: 2, err: expect.stringContaining('bots.json is not JSON') });
    const missing = await run('run none.json');
    expect(missing).toMatchObject({ code: 2, err: expect.stringContaining('no such file') });
    expect(await run('run bots.json --leave')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--leave needs --logs'),
    });
  });
});

function run(line: string): Promise<Ended> {
  return runIn(folder, line);
}

/** Goes on running; ended with the test, if nobody ends it before. */
async function runs(line: string, until: string): Promise<Program> {
  const program = new Program(folder, line);
  onTestFinished(async () => {
    program.interrupt('SIGTERM');
    await program.end();
  });
  await program.hasWritten(until);
  return program;
}

async function registryOf(...bots: ReturnType<typeof config>[]) {
  const registry = createBotRegistry({ file: registryIn(folder) });
  await Promise.all(bots.map((one) => registry.create(one)));
  return registry;
}

async function writeBots(name: string, bots: readonly unknown[]): Promise<void> {
  const document = { format: 'buddy-bots', version: 1, bots };
  await writeFile(join(folder, name), JSON.stringify(document));
}

function bot(id: string, program: string, deployment: object) {
  return {
    ...config(id),
    deployment: { command: process.execPath, args: ['-e', program], ...deployment },
  };
}
