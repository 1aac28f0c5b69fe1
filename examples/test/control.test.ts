import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { connectEngine } from '@buddy/agents';
import { afterAll, describe, expect, it } from 'vitest';
import { filesBelow, recordsOf, runExample, temporaryFolders } from './command.ts';

const folders = temporaryFolders();
afterAll(folders.remove);

const BIN = '../packages/governance/src/bin/buddy-governance.ts';

const find = (n: number) => ({
  task_id: `f${n}`,
  predicted_success_probability: 0.9,
  action: 'gohighlevel.contacts.find',
  input: { email: 'ada@example.com' },
});

const mail = {
  task_id: 'm1',
  predicted_success_probability: 0.9,
  priority: 9,
  action: 'msgraph.mail.send',
  input: { to: 'ada@example.com', subject: 'Hello', text: 'Dear Ada' },
};

/** Resolves when the workflow in which the mail waits is in this state. */
async function parkedIs(run: string, wanted: string): Promise<void> {
  for (; ; await setTimeout(50)) {
    try {
      for await (const { id, status } of (await connectEngine(run)).list()) {
        if (id.includes('/parked/m1/') && status === wanted) return;
      }
    } catch {
      // It does not listen yet; if it never does, the test's time runs out.
    }
  }
}

describe('a run on the real clock, while it works', () => {
  it('hears what people approve in other processes, and is stopped by one', async () => {
    const input = await folders.make();
    const out = join(await folders.make(), 'run');
    const tasks = [mail, ...Array.from({ length: 800 }, (_, n) => find(n))];
    const lines = tasks.map((task) => `${JSON.stringify(task)}\n`).join('');
    await writeFile(join(input, 'predicted_tasks.jsonl'), lines);
    const args = [
      '--clock',
      'real',
      '--agents',
      '1',
      '--seed',
      '2',
      '--input',
      input,
      '--out',
      out,
    ];
    const running = runExample('orchestrator.ts', args);

    await parkedIs(out, 'running');
    const database = join(out, 'state', 'governance.db');
    const approve = ['approvals', 'approve', '--all-matching', '--action', '**', '--yes'];
    const approved = await runExample(BIN, [...approve, '--database', database]);
    expect(approved).toMatchObject({ code: 0 });
    await parkedIs(out, 'completed');

    const cancelled = await runExample('orchestrator.ts', ['--cancel', out, '--json']);
    expect(cancelled).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"runId":"run-2-'),
    });
    const { code, stdout } = await running;
    expect(code).toBe(130);
    expect(stdout).toContain('cancelled');
    const outcomes = [...(await filesBelow(join(out, 'phase21')))]
      .filter(([path]) => path.endsWith('outcomes.jsonl'))
      .flatMap(([, text]) => recordsOf(text));
    const ofMail = outcomes.filter(({ task_id: id }) => id === 'm1');
    expect(ofMail.map(({ status }) => status)).toEqual(['waiting', 'completed']);
    expect(outcomes.some(({ status }) => status === 'cancelled')).toBe(true);

    expect(existsSync(join(out, 'state', 'engine.socket'))).toBe(false);
    const late = await runExample('orchestrator.ts', ['--cancel', out]);
    expect(late).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('AGENTS_ENGINE_UNREACHABLE'),
    });
  });
});
