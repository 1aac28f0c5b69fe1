import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { seededRandom } from '@buddy/core';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { filesBelow, recordsOf, runExample, temporaryFolders } from './command.ts';

const folders = temporaryFolders();
afterAll(folders.remove);
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** The providers, in a process that outlives those that work with them; what their clients are configured with. */
async function serveProviders(): Promise<Record<string, string>> {
  const bin = join(import.meta.dirname, '../../packages/mocks/src/bin/buddy-mocks.ts');
  const server = spawn(
    process.execPath,
    ['--conditions=@buddy/source', bin, 'serve', '--faults', 'none', '--print-env'],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  children.push(server);
  let text = '';
  for await (const chunk of server.stdout) {
    text += String(chunk);
    if (text.includes('BUDDY_MOCKS_TOKEN')) break;
  }
  return Object.fromEntries([...text.matchAll(/^export (\w+)='(.*)'$/gm)].map(([, ...one]) => one));
}

const Entries = z.array(
  z.object({
    operation: z.string(),
    isCarriedOut: z.boolean(),
    request: z.object({ body: z.unknown().optional() }),
  }),
);

/** What the providers were asked to do, and did. */
async function carriedOut(
  environment: Record<string, string>,
  provider: string,
  operation: string,
): Promise<string[]> {
  const { BUDDY_MOCKS_URL: url, BUDDY_MOCKS_TOKEN: token } = environment;
  const answer = await fetch(`${url}/journal`, { headers: { authorization: `Bearer ${token}` } });
  const journals = z.record(z.string(), Entries).parse(await answer.json());
  return (journals[provider] ?? [])
    .filter((entry) => entry.operation === operation && entry.isCarriedOut)
    .map(({ request }) => JSON.stringify(request.body));
}

const COUNT = 30;
const KILLS = Number(process.env['BUDDY_KILLS'] ?? 3);

const TASKS = Array.from({ length: COUNT }, (_, n) => [
  { action: 'gohighlevel.contacts.create', input: { email: `person-${n}@example.com` } },
  {
    action: 'msgraph.mail.send',
    input: { to: `person-${n}@example.com`, subject: `Letter ${n}`, text: 'Hello' },
    depends_on: [`t${n}-0`],
  },
]).flatMap((pair, n) =>
  pair.map((task, at) => ({ task_id: `t${n}-${at}`, predicted_success_probability: 0.9, ...task })),
);

describe(`the main job, killed ${KILLS} times on its way`, { timeout: 600_000 }, () => {
  it('is gone on with: no task is lost, and nothing is done twice at the providers', async () => {
    const environment = await serveProviders();
    const input = await folders.make();
    const out = join(await folders.make(), 'run');
    const lines = TASKS.map((task) => `${JSON.stringify(task)}\n`);
    await writeFile(join(input, 'predicted_tasks.jsonl'), lines.join(''));
    const random = seededRandom(1);
    const begin = ['--clock', 'real', '--approve-all-dev', '--input', input, '--out', out];
    const goOn = ['--resume', out, '--approve-all-dev'];
    let args = begin;
    let kills = 0;
    for (;;) {
      let isBegun = false;
      const { code, stdout, stderr } = await runExample('orchestrator.ts', args, {
        environment,
        onStderr: (_text, child) => {
          if (isBegun || kills >= KILLS) return;
          isBegun = true;
          void setTimeout(100 + random() * 700).then(() => child.kill('SIGKILL'));
        },
      });
      args = goOn;
      if (code === null) {
        kills += 1;
        continue;
      }
      expect(code, `${stdout}${stderr}`).toBe(0);
      break;
    }
    expect(kills).toBeGreaterThan(0);
    const outcomes = [...(await filesBelow(join(out, 'phase21')))]
      .filter(([path]) => path.endsWith('outcomes.jsonl'))
      .flatMap(([, text]) => recordsOf(text));
    const ends = outcomes.map(({ task_id: id, status }) => `${String(id)} ${String(status)}`);
    expect(ends.toSorted()).toEqual(TASKS.map(({ task_id: id }) => `${id} completed`).toSorted());
    const created = await carriedOut(environment, 'gohighlevel', 'contacts.create');
    expect(new Set(created).size).toBe(COUNT);
    expect(created).toHaveLength(COUNT);
    const sent = await carriedOut(environment, 'msgraph', 'mail.send');
    expect(new Set(sent).size).toBe(COUNT);
    expect(sent).toHaveLength(COUNT);
  });
});
