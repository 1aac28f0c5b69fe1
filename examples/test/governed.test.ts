import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createGovernance, type Governance, verifyAuditLog } from '@buddy/governance';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_POLICY } from '../orchestrator/arguments.ts';
import { filesBelow, hashOfPhases, recordsOf, runExample, temporaryFolders } from './command.ts';

const folders = temporaryFolders();
afterAll(folders.remove);

const start = (args: readonly string[], environment: Record<string, string> = {}) =>
  runExample('orchestrator.ts', args, { environment });

/** With which no provider turns a call away: what it turned away has used its approval up, and asks anew. */
const SEED = ['--seed', '2'];

const BIN = '../packages/governance/src/bin/buddy-governance.ts';

/** Nowhere else: what is found of it on the disk was put there by the gate. */
const SECRET = 'Zanzibar';

const mail = (id: string, fields: object = {}) => ({
  task_id: id,
  predicted_success_probability: 0.9,
  action: 'msgraph.mail.send',
  input: { to: `${id}@example.com`, subject: `${SECRET} of ${id}`, text: `Dear ${SECRET}` },
  ...fields,
});

const find = (id: string, fields: object = {}) => ({
  task_id: id,
  predicted_success_probability: 0.9,
  action: 'gohighlevel.contacts.find',
  input: { email: 'ada@example.com' },
  ...fields,
});

const PROGRAM =
  "const { found } = await tools.mployer.contacts.search({ state: 'TX' }); await tools.msgraph.mail.send({ to: 'p@example.com', subject: 'Zanzibar too', text: 'Zanzibar' }); found";

/** Six mails, one of them by a program and one that another task waits for, and three tasks that need nobody. */
const TASKS = [
  find('f1'),
  mail('m1'),
  mail('m2'),
  mail('m3', { depends_on: ['f1'] }),
  find('after-m3', { depends_on: ['m3'] }),
  mail('m4', { wave: 2 }),
  mail('m5', { wave: 2 }),
  find('f2', { wave: 2 }),
  { task_id: 'p1', predicted_success_probability: 0.9, code: PROGRAM, wave: 2 },
];
const MAILS = ['m1', 'm2', 'm3', 'm4', 'm5'];

async function inputOf(tasks: readonly object[]): Promise<string> {
  const folder = await folders.make();
  const lines = tasks.map((task) => `${JSON.stringify(task)}\n`).join('');
  await writeFile(join(folder, 'predicted_tasks.jsonl'), lines);
  return folder;
}

/** How each task ended, as the folder of a job has it. */
async function endsIn(folder: string): Promise<Record<string, unknown>> {
  const files = [...(await filesBelow(join(folder, 'phase21')))];
  const records = files
    .filter(([path]) => path.endsWith('outcomes.jsonl'))
    .flatMap(([, text]) => recordsOf(text));
  return Object.fromEntries(records.map((record) => [String(record['task_id']), record['status']]));
}

function databaseOf(run: string): string {
  return join(run, 'state', 'governance.db');
}

function openGovernance(run: string): Promise<Governance> {
  return createGovernance({
    policy: DEFAULT_POLICY,
    database: databaseOf(run),
    followPolicy: false,
  });
}

/** Of requests that wait, the ids by task. */
async function requestsOf(run: string): Promise<Map<string, string>> {
  await using governance = await openGovernance(run);
  const { approvals } = governance.approvals.list({ states: ['pending'], limit: 200 });
  return new Map(approvals.map(({ taskId, id }) => [taskId ?? '', id]));
}

describe('a governed run', () => {
  let input = '';
  let run = '';
  let again = '';
  let said = '';

  beforeAll(async () => {
    input = await inputOf(TASKS);
    [run, again] = [await folders.make(), await folders.make()];
    const [first, second] = await Promise.all([
      start(['--input', input, '--out', run, ...SEED]),
      start(['--input', input, '--out', again, ...SEED]),
    ]);
    if (first.code !== 0 || second.code !== 0) throw new Error(first.stderr + second.stderr);
    said = first.stdout;
  });

  it('ends well, and leaves waiting what needs a person and what depends on that, and no more', async () => {
    const ends = await endsIn(run);
    const waiting = Object.keys(ends).filter((id) => ends[id] === 'waiting');
    expect(waiting.toSorted()).toEqual([...MAILS, 'after-m3', 'p1'].toSorted());
    expect(ends).toMatchObject({ f1: 'completed', f2: 'completed' });
    expect((await requestsOf(run)).size).toBe(6);
  });

  it('says how to look, approve and go on, in commands that work as they are', async () => {
    expect(said).toContain('completed, but for tasks that wait for a person');
    const list = /look +npx -y pnpm@12 governance (.+)/.exec(said)?.[1]?.split(' ') ?? [];
    const { code, stdout } = await runExample(BIN, list);
    expect(code).toBe(0);
    expect(stdout).toContain('Zanzibar of m1');
    const all = /or all +npx -y pnpm@12 governance (.+)/.exec(said)?.[1]?.replaceAll("'", '') ?? '';
    const asked = await runExample(BIN, all.split(' '));
    expect(asked.stdout).toContain('Yes would be said to 6 requests');
    expect(asked.stdout).toContain('Nothing was done; add --yes');
    expect(said).toContain(`npx -y pnpm@12 start --go-on ${run}\n`);
  });

  it('leaves the same bytes in its phase folders each time', async () => {
    expect(await hashOfPhases(again)).toBe(await hashOfPhases(run));
  });

  it('shows in its report what the gate did', async () => {
    const report = await readFile(join(run, 'phase21', 'report.md'), 'utf8');
    const section = report.split('## Governance\n')[1]?.split('\n## ')[0] ?? '';
    expect(section).toContain('| requests that wait for a person | 6 |');
    expect(section).toContain('| decisions on tier 3 | 6 |');
    expect(section).toContain('| 3 | 0 | 0 |'); // no mail was sent
    expect(section).toContain('| `msgraph.mail.send` |');
    expect(section).toContain('`mail-send` | POLICY_APPROVAL_REQUIRED |');
    expect(report).toContain('Decide on what waits for approval, 6 in all');
  });

  it('has a log that verifies, with an intent for each call that was made', async () => {
    await using governance = await openGovernance(run);
    const report = await readFile(join(run, 'phase21', 'report.md'), 'utf8');
    const rows = [...report.matchAll(/^\| ([123]) \| (\d+) \| (\d+) \|$/gm)];
    expect(rows).toHaveLength(3);
    for (const [, tier, executed, intents] of rows) {
      expect([tier, executed]).toEqual([tier, intents]);
      const { entries } = governance.audit.query({ kind: 'intent', limit: 200 });
      const kept = entries.filter(
        (entry) => entry.kind === 'intent' && entry.tier === Number(tier),
      );
      expect(String(kept.length)).toBe(intents);
    }
    const { exitCode, text } = await verifyAuditLog({ file: databaseOf(run) });
    expect({ exitCode, text }).toEqual({ exitCode: 0, text: expect.stringContaining('Intact') });
  });

  it('keeps no word of a mail in its state', async () => {
    for (const name of await readdir(join(run, 'state'))) {
      const bytes = await readFile(join(run, 'state', name));
      expect([name, bytes.includes(SECRET)]).toEqual([name, false]);
    }
    expect(await readFile(join(input, 'predicted_tasks.jsonl'), 'utf8')).toContain(SECRET);
  });

  it('goes on with what was approved and denied, and lets the rest wait', async () => {
    const requests = await requestsOf(run);
    const vote = (word: 'approve' | 'deny', task: string) =>
      runExample(BIN, ['approvals', word, requests.get(task) ?? '', '--database', databaseOf(run)]);
    for (const task of ['m1', 'm3', 'm5', 'p1']) {
      expect(await vote('approve', task)).toMatchObject({ code: 0 });
    }
    expect(await vote('deny', 'm2')).toMatchObject({ code: 0 });

    const ended = await start(['--go-on', run, '--json']);
    expect([ended.code, ended.stderr]).toEqual([0, expect.stringContaining('7 tasks loaded')]);
    const ends = await endsIn(join(run, 'go-on-1'));
    expect(ends).toEqual({
      m1: expect.stringMatching(/completed|failed/),
      m2: 'denied',
      m3: expect.stringMatching(/completed|failed/),
      'after-m3': expect.stringMatching(/completed|skipped/),
      m4: 'waiting',
      m5: expect.stringMatching(/completed|failed/),
      p1: expect.stringMatching(/completed|failed/),
    });
    const result = JSON.parse(ended.stdout);
    expect(result).toMatchObject({
      runId: 'run-2-1',
      status: 'waiting',
      waiting: [{ taskId: 'm4' }],
      governance: { denied: 1, pending: 1, approvals: { cli: 4 } },
      folder: join(run, 'go-on-1'),
      next: { goOn: `npx -y pnpm@12 start --go-on ${run}` },
    });
    expect((await requestsOf(run)).get('m4')).toBe(requests.get('m4')); // not asked twice
    expect(await verifyAuditLog({ file: databaseOf(run) })).toMatchObject({ exitCode: 0 });
  });

  it('goes on once more, with what is left', async () => {
    const ended = await start(['--go-on', run, '--approve-all-dev', '--json']);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      status: 'completed',
      tasks: 1,
      governance: { pending: 0, approvals: { fast: 1 } },
      folder: join(run, 'go-on-2'),
      next: null,
    });
    const nothing = await start(['--go-on', run]);
    expect(nothing).toMatchObject({ code: 1, stdout: '' });
    expect(nothing.stderr).toContain('waits for approval');
    expect(existsSync(join(run, 'go-on-3'))).toBe(false);
  });
});

describe('going on', () => {
  it('is refused where there is no run, and nothing is made', async () => {
    const folder = await folders.make();
    const { code, stderr } = await start(['--go-on', folder]);
    expect(code).toBe(1);
    expect(stderr).toContain(`${folder} holds no state/arguments.json`);
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([
    ['{"version":2}', 'was not written by start'],
    ['no JSON', 'was not written by start'],
  ])('is refused where somebody else wrote what the run should have: %s', async (text, message) => {
    const folder = await folders.make();
    await mkdir(join(folder, 'state'));
    await writeFile(join(folder, 'state', 'arguments.json'), text);
    await writeFile(databaseOf(folder), '');
    const { code, stderr } = await start(['--go-on', folder]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(message) });
  });

  it('is refused when the log is gone, for a new one would know of no approval', async () => {
    const input = await inputOf([mail('m1')]);
    const out = await folders.make();
    await start(['--input', input, '--out', out]);
    await rm(databaseOf(out));
    const { code, stderr } = await start(['--go-on', out]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('lost its log') });
    expect(existsSync(databaseOf(out))).toBe(false);
  });

  it('is refused when the input has changed under the tasks that wait', async () => {
    const input = await inputOf([mail('m1')]);
    const out = await folders.make();
    await start(['--input', input, '--out', out]);
    await writeFile(join(input, 'predicted_tasks.jsonl'), `${JSON.stringify(find('other'))}\n`);
    const { code, stderr } = await start(['--go-on', out]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('has changed') });
    await rm(input, { recursive: true });
    expect((await start(['--go-on', out])).code).toBe(1);
  });
});

describe('the policy of a run', () => {
  it('can be another, and what it blocks is denied, not failed', async () => {
    const input = await inputOf([mail('m1'), find('f1'), find('f2')]);
    const policy = join(input, 'policy.yaml');
    await writeFile(
      policy,
      `version: 1
rules:
  - { id: reads, when: { action: gohighlevel.** }, allow: true }
  - { id: no-mail, when: { action: msgraph.** }, block: true }
`,
    );
    const out = await folders.make();
    const ended = await start(['--input', input, '--out', out, '--policy', policy, '--json']);
    expect(ended.code).toBe(0);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      status: 'completed',
      counts: { completed: 2, denied: 1, failed: 0, waiting: 0 },
      governance: { denied: 1 },
    });
    expect(await endsIn(out)).toMatchObject({ m1: 'denied' });
    const report = await readFile(join(out, 'phase21', 'report.md'), 'utf8');
    expect(report).toContain('| calls denied within 24 hours | 1 |');
    expect(report).toContain('`no-mail` | POLICY_BLOCKED |');
  });

  it('is refused with line, column and hint when anything is wrong with it, before anything is written', async () => {
    const input = await inputOf([find('f1')]);
    const policy = join(input, 'policy.yaml');
    await writeFile(
      policy,
      `version: 1
rules:
  - { id: reads, when: { action: gohighlevel.** }, alow: true }
  - { id: reads, when: { action: msgraph.** }, block: true }
`,
    );
    const out = join(input, 'out');
    const { code, stdout, stderr } = await start([
      '--input',
      input,
      '--out',
      out,
      '--policy',
      policy,
    ]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(`${policy}:3:`);
    expect(stderr).toContain('Did you mean');
    expect(existsSync(out)).toBe(false);
    const missing = await start(['--input', input, '--out', out, '--policy', `${policy}.no`]);
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining(`${policy}.no`) });
  });
});

describe('approving everything', () => {
  it('sends what would wait, and says that nobody agreed', async () => {
    const input = await inputOf([mail('m1'), mail('m2')]);
    const out = await folders.make();
    const { code, stdout } = await start([
      '--input',
      input,
      '--out',
      out,
      '--approve-all-dev',
      ...SEED,
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain('2 approved');
    expect(stdout).toContain('Approvals were given by nobody');
    const report = await readFile(join(out, 'phase21', 'report.md'), 'utf8');
    expect(report).toContain('| given by nobody, for --approve-all-dev was set | 2 |');
    expect(report).toContain('Approvals were given by nobody');
    expect(Object.values(await endsIn(out))).not.toContain('waiting');
    await using governance = await openGovernance(out);
    const ways = governance.audit
      .query({ limit: 200 })
      .entries.flatMap((entry) => (entry.kind === 'approval' ? [entry.via] : []));
    expect(ways).toContain('fast');
  });

  it.each(['production', 'Prod'])('is bad usage where NODE_ENV is %s', async (NODE_ENV) => {
    const input = await inputOf([mail('m1')]);
    const out = join(input, 'out');
    const { code, stderr } = await start(['--input', input, '--out', out, '--approve-all-dev'], {
      NODE_ENV,
    });
    expect(code).toBe(2);
    expect(stderr).toContain('NODE_ENV is production');
    expect(existsSync(out)).toBe(false);
  });
});
