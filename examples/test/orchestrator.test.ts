import { existsSync, readFileSync } from 'node:fs';
import { cp, chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { getuid } from 'node:process';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HELP } from '../orchestrator/arguments.ts';
import { type Ended, filesBelow, recordsOf, runExample, temporaryFolders } from './command.ts';

const folders = temporaryFolders();
afterAll(folders.remove);

const start = (args: readonly string[], options: Parameters<typeof runExample>[2] = {}) =>
  runExample('orchestrator.ts', args, options);

const task = (id: string, fields: object = {}) =>
  `${JSON.stringify({ task_id: id, predicted_success_probability: 1, ...fields })}\n`;

/** A folder with predictions of its own: small, so that the command ends soon. */
async function inputWith(lines: readonly string[], schedule?: string): Promise<string> {
  const folder = await folders.make();
  await writeFile(join(folder, 'predicted_tasks.jsonl'), lines.join(''));
  if (schedule !== undefined) {
    await writeFile(join(folder, 'predicted_schedule.jsonl'), schedule);
  }
  return folder;
}

async function exists(path: string): Promise<boolean> {
  return readFile(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code === 'EISDIR',
  );
}

describe('the command of the main job', { concurrent: true }, () => {
  let small = '';
  beforeAll(async () => {
    small = await inputWith([task('a'), task('b', { wave: 2 })]);
  });

  it('prints its help', async () => {
    expect(await start(['--help'])).toEqual({ code: 0, stdout: HELP, stderr: '' });
  });

  it('says what it did, where the report is, and that it was a dry run', async () => {
    const folder = await folders.make();
    const { code, stdout, stderr } = await start(['--waves', '1-1'], { folder });
    expect(code).toBe(0);
    expect(stdout).toContain('Run run-23-1: completed, but for tasks that wait for a person');
    expect(stdout).toMatch(/tasks {6}1000: \d+ completed, \d+ failed, \d+ skipped, \d+ waiting/);
    expect(stdout).toContain('DRY_RUN: the providers are mocks');
    expect(stdout).toContain(`start --go-on ${join(folder, 'out', 'run-1')}\n`);
    const report = join(folder, 'out', 'run-1', 'phase21', 'report.md');
    expect(stdout).toContain(report);
    expect(await readFile(report, 'utf8')).toContain('# Run `run-23-1`: ');
    // No terminal here: plain lines, one for each wave.
    expect(stderr.split('\n')).toEqual([
      '10000 tasks loaded; waves to run: 1',
      expect.stringMatching(
        /^wave 1: \d+\/996 done, \d+ wait, \d+ completed, \d+ retries, health \d+ /,
      ),
      '',
    ]);
    expect(`${stdout}${stderr}`).not.toContain('\u001b');
  });

  it('prints with --json nothing but JSON', async () => {
    const folder = await folders.make();
    const { code, stdout } = await start(['--input', small, '--json'], { folder });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      runId: 'run-23-1',
      status: 'completed',
      tasks: 2,
      counts: { completed: 2 },
      waves: [1, 2],
      folder: join(folder, 'out', 'run-1'),
      report: join(folder, 'out', 'run-1', 'phase21', 'report.md'),
    });
  });

  it('counts its runs, and keeps measured times out of what can be compared', async () => {
    const folder = await folders.make();
    for (const run of ['run-1', 'run-2']) {
      const { stdout } = await start(['--input', small], { folder });
      expect(stdout).toContain(join(folder, 'out', run));
    }
    expect((await readdir(join(folder, 'out'))).toSorted()).toEqual(['run-1', 'run-2']);
    const first = await filesBelow(join(folder, 'out', 'run-1'));
    const second = await filesBelow(join(folder, 'out', 'run-2'));
    for (const files of [first, second]) {
      for (const name of ['measured.json', 'governance.db', 'governance.db.key']) {
        expect(files.delete(`state/${name}`)).toBe(true);
      }
    }
    expect(second).toEqual(first);
    expect(first.get('phase21/report.md')).not.toContain('Code in the sandbox'); // it had no program
  });

  it('refuses a folder that is not empty, unless it is forced, and never loses it half', async () => {
    const folder = await folders.make();
    await mkdir(join(folder, 'mine'));
    const kept = join(folder, 'mine', 'letter.txt');
    await writeFile(kept, 'dear');
    const refused = await start(['--input', small, '--out', 'mine'], { folder });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain(`${join(folder, 'mine')} is not empty`);
    // Forced, but not to be run: what is there stays.
    const noInput = await start(['--input', 'nowhere', '--out', 'mine', '--force'], { folder });
    expect(noInput.code).toBe(1);
    const noWave = ['--input', small, '--waves', '9', '--out', 'mine', '--force'];
    expect((await start(noWave, { folder })).code).toBe(2);
    expect(await readFile(kept, 'utf8')).toBe('dear');
    const forced = await start(['--input', small, '--out', 'mine', '--force'], { folder });
    expect(forced.code).toBe(0);
    expect(await exists(kept)).toBe(false);
    expect((await readdir(join(folder, 'mine'))).toSorted()).toContain('phase21');
    expect(await readdir(folder)).toEqual(['mine']); // nothing is left beside it
  });

  it('never replaces its own input, nor the folder it is called from, however forced', async () => {
    const folder = await folders.make();
    const input = join(folder, 'in', 'phase20');
    await cp(small, input, { recursive: true });
    for (const out of ['in', 'in/phase20', '.']) {
      const refused = await start(['--input', input, '--out', out, '--force'], { folder });
      expect(refused).toMatchObject({ code: 1, stdout: '' });
      expect(refused.stderr).toContain('will not be replaced');
    }
    expect(await readdir(input)).toEqual(await readdir(small));
    expect(await readdir(folder)).toEqual(['in']);
  });

  it.each([
    [['--seed', 'x'], '--seed'],
    [['--waves', '2-1'], '--waves'],
    [['--nonsense'], '--nonsense'],
  ])('ends with 2 on bad usage: %j', async (args, option) => {
    const folder = await folders.make();
    const { code, stdout, stderr } = await start(args, { folder });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(option);
    expect(stderr).toContain('See --help.');
    expect(await readdir(folder)).toEqual([]);
  });

  it('ends with 2 when there is no such wave, and says which there are', async () => {
    const { code, stderr } = await start(['--input', small, '--waves', '8-9'], {
      folder: await folders.make(),
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(/--waves 8-9 names no wave of .*; there are 1, 2/);
  });

  it('ends with 1 when the input is not there, before it makes anything', async () => {
    const folder = await folders.make();
    const { code, stderr } = await start(['--input', 'nowhere'], { folder });
    expect(code).toBe(1);
    expect(stderr).toContain(
      `--input ${join(folder, 'nowhere')} holds no predicted_tasks.jsonl that can be read`,
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it('ends with 1 when there is not one good line', async () => {
    const input = await inputWith(['nonsense\n']);
    const { code, stderr } = await start(['--input', input], { folder: await folders.make() });
    expect(code).toBe(1);
    expect(stderr).toContain('at least one good line');
  });

  it.each([
    ['false', 'set DRY_RUN=true'],
    ['maybe', 'DRY_RUN is "maybe"; set it to true'],
  ])('ends with 1 when DRY_RUN is %s: there are no real clients yet', async (value, message) => {
    const folder = await folders.make();
    const { code, stderr } = await start(['--input', small], {
      folder,
      environment: { DRY_RUN: value },
    });
    expect(code).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('    at '); // a message, not a stack
    expect(await readdir(folder)).toEqual([]);
  });

  it('ends with 1 and a clear message when the output cannot be a folder', async () => {
    const folder = await folders.make();
    await writeFile(join(folder, 'file'), '');
    for (const extra of [[], ['--force']]) {
      const { code, stderr } = await start(['--input', small, '--out', 'file', ...extra], {
        folder,
      });
      expect(code).toBe(1);
      expect(stderr).toContain(join(folder, 'file'));
      expect(stderr).not.toContain('    at ');
    }
  });

  // Root may write everywhere.
  it.skipIf(getuid?.() === 0)('ends with 1 when it may not write', async () => {
    const folder = await folders.make();
    await chmod(folder, 0o500);
    const { code, stderr } = await start(['--input', small], { folder });
    expect(code).toBe(1);
    expect(stderr).toContain('Cannot write');
  });

  it('goes on when nobody reads what it says', async () => {
    const folder = await folders.make();
    const { code, stderr } = await start(['--input', small], { folder, isStdoutClosed: true });
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.not.stringContaining('EPIPE'),
    });
    expect(await exists(join(folder, 'out', 'run-1', 'phase21', 'report.md'))).toBe(true);
  });

  it('runs what the original system left behind, as it is', async () => {
    const input = await inputWith(
      Array.from(
        { length: 12 },
        (_, at) =>
          `{"task_id":"task_${at}","agent_id":null,"predicted_success_probability":0.83,"priority":0,"wave":1}\n`,
      ),
      '{"wave":1,"tasks_count":12}\n',
    );
    const folder = await folders.make();
    const { code, stdout } = await start(['--input', input, '--json'], { folder });
    expect(code).toBe(0);
    const { counts, problems } = JSON.parse(stdout);
    expect(problems).toBe(0);
    expect(counts.completed + counts.failed).toBe(12);
    // Which of them succeed is drawn from the seed, with the probability foretold.
    const outcomes: boolean[][] = [];
    for (const seed of ['23', '24', '23']) {
      const out = await folders.make();
      await start(['--input', input, '--out', out, '--seed', seed]);
      outcomes.push(
        [...(await filesBelow(out))]
          .filter(([path]) => path.endsWith('outcomes.jsonl'))
          .flatMap(([, text]) => recordsOf(text))
          .toSorted((a, b) => (String(a['task_id']) < String(b['task_id']) ? -1 : 1))
          .map((record) => record['actual_success'] === true),
      );
    }
    expect(outcomes[0]).toEqual(outcomes[2]);
    expect(outcomes[0]).not.toEqual(outcomes[1]);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'stops cleanly on %s: says what was done, and leaves whole files',
    async (signal) => {
      const out = await folders.make();
      let isAsked = false;
      const ended: Ended = await start(['--clock', 'real', '--out', out], {
        onStderr: (text, child) => {
          if (isAsked || !text.includes('tasks loaded')) return;
          isAsked = true;
          child.kill(signal);
          child.kill(signal); // a terminal and pnpm both pass it on
        },
      });
      expect(ended.code).toBe(130);
      expect(ended.stderr).toContain('Stopping');
      expect(ended.stdout).toContain('interrupted; the files hold what was done');
      expect(ended.stdout).toMatch(/unfinished waves 1, 2, 3/);
      const files = await filesBelow(out);
      for (const [path, text] of files) {
        if (path.endsWith('.jsonl')) recordsOf(text);
        if (path.endsWith('.json')) JSON.parse(text);
      }
      expect(JSON.parse(files.get('phase21/run.json') ?? '')).toMatchObject({
        status: 'cancelled',
        counts: { waiting: 0 },
      });
      expect(files.get('phase21/report.md')).toContain('interrupted');
    },
  );
});

// Elsewhere there is no way to ask for the children of a process.
describe.runIf(existsSync('/proc/self/task'))('a program that runs when the job is stopped', () => {
  it('is ended with it, and so is its process', async () => {
    const code = 'await new Promise((done) => setTimeout(done, 25_000)); 1';
    const input = await inputWith([
      `${JSON.stringify({ task_id: 't', predicted_success_probability: 0.9, code })}\n`,
    ]);
    const out = await folders.make();
    let children: readonly number[] = [];
    let isAsked = false;
    const ended = await start(['--clock', 'real', '--input', input, '--out', out, '--json'], {
      onStderr: (text, child) => {
        if (isAsked || !text.includes('tasks loaded')) return;
        isAsked = true;
        void (async () => {
          while (childrenOf(child.pid).length === 0) await setTimeout(20);
          await setTimeout(500); // past its start, on most machines
          children = childrenOf(child.pid);
          child.kill('SIGINT');
        })();
      },
    });
    expect(ended.code).toBe(130);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      status: 'cancelled',
      counts: { cancelled: 1 },
      programs: { runs: { ok: 0 } },
    });
    expect(children.length).toBeGreaterThan(0);
    await expect.poll(() => children.filter((pid) => existsSync(`/proc/${pid}/exe`))).toEqual([]);
  });
});

function childrenOf(pid = 0): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

describe('the quick start', () => {
  it('runs as it is, and fits on a page', async () => {
    const { code, stdout, stderr } = await runExample('quickstart.ts');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(
      't1 completed { left: 4 }\nt2 failed CORE_TOOL_INPUT_INVALID\ncompleted: 1 completed, 1 failed\n',
    );
    const text = await readFile(join(import.meta.dirname, '..', 'quickstart.ts'), 'utf8');
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(30);
  });

  it('is one of the examples that are all run by a test', async () => {
    const names = (await readdir(join(import.meta.dirname, '..'))).filter((name) =>
      name.endsWith('.ts'),
    );
    expect(names.toSorted()).toEqual([
      'bots.ts',
      'distributed.ts',
      'orchestrator.ts',
      'quickstart.ts',
    ]);
  });
});
