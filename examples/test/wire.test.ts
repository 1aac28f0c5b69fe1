import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { filesBelow, recordsOf, runExample, temporaryFolders } from './command.ts';

const folders = temporaryFolders();
afterAll(folders.remove);

/** Tasks without a truth beside them: nothing goes wrong but what providers do. */
const TASKS = [
  { action: 'mployer.contacts.search', input: { state: 'CA' } },
  { action: 'gohighlevel.contacts.create', input: { email: 'ada@example.com', firstName: 'Ada' } },
  { action: 'gohighlevel.contacts.find', input: { email: 'ada@example.com' }, depends_on: ['t1'] },
  {
    action: 'gohighlevel.contacts.create',
    input: { email: 'ADA@example.com' },
    depends_on: ['t1'],
  },
  { action: 'msgraph.mail.search', input: { query: 'budget' } },
  { action: 'msgraph.mail.send', input: { to: 'bob@example.com', subject: 'Hello', text: 'Hi' } },
].map((task, at) => ({ task_id: `t${at}`, predicted_success_probability: 0.9, ...task }));

describe('the main job over the wire', () => {
  it('speaks to servers of the providers through their real clients, and says what came of it', async () => {
    const input = await folders.make();
    const out = await folders.make();
    const lines = TASKS.map((task) => `${JSON.stringify(task)}\n`);
    await writeFile(join(input, 'predicted_tasks.jsonl'), lines.join(''));
    const options = [
      '--wire',
      '--speed',
      '200',
      '--approve-all-dev',
      '--input',
      input,
      '--out',
      out,
    ];
    const { code, stdout, stderr } = await runExample('orchestrator.ts', options);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toContain('Nothing left this machine');
    const outcomes = [...(await filesBelow(out))]
      .filter(([path]) => path.endsWith('outcomes.jsonl'))
      .flatMap(([, text]) => recordsOf(text))
      .map(({ status, error_message: error }) => ({ status, error }));
    // Which calls the providers' faults befall depends on the order in which they arrive, and so on the machine.
    expect(outcomes).toHaveLength(TASKS.length);
    expect(outcomes.filter(({ status }) => status === 'completed').length).toBeGreaterThan(2);
    const failed = outcomes.filter(({ status }) => status === 'failed');
    for (const { error } of failed) expect(error).toMatch(/^(?:mployer|gohighlevel|msgraph) /);
    const report = await readFile(join(out, 'phase21', 'report.md'), 'utf8');
    const [, wire = ''] = report.split('## Over the wire');
    const calls = [...wire.matchAll(/^\| `(\w+)` \| (\d+) \|/gm)].map(([, name, n]) => [
      name,
      Number(n) > 0,
    ]);
    expect(calls.slice(0, 3)).toEqual([
      ['mployer', true],
      ['gohighlevel', true],
      ['msgraph', true],
    ]);
  });
});
