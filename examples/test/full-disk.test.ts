import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { temporaryFolders } from './command.ts';

const EXAMPLES = join(import.meta.dirname, '..');
const FULL = '/dev/full'; // Linux only

const folders = temporaryFolders();
afterAll(folders.remove);

describe.skipIf(!existsSync(FULL))('the command of the main job, on a full disk', () => {
  it.each([
    ['stdout', /^[^]*The output cannot be written \(ENOSPC(?![^]*cannot be written)/],
    ['stderr', /: completed/],
  ] as const)('ends its run and writes its files when %s cannot be written', async (lost, said) => {
    const folder = await folders.make();
    await writeFile(
      join(folder, 'predicted_tasks.jsonl'),
      `${JSON.stringify({ task_id: 'a', predicted_success_probability: 1 })}\n`,
    );
    const full = await open(FULL, 'w');
    const child = spawn(
      process.execPath,
      ['--conditions=@buddy/source', join(EXAMPLES, 'orchestrator.ts'), '--input', folder],
      {
        cwd: EXAMPLES,
        env: { ...process.env, INIT_CWD: folder },
        stdio: [
          'ignore',
          lost === 'stdout' ? full.fd : 'pipe',
          lost === 'stderr' ? full.fd : 'pipe',
        ],
      },
    );
    const ended = new Promise((resolve, reject) => {
      child.on('error', reject).on('close', resolve);
    });
    const [code, stdout, stderr] = await Promise.all([
      ended,
      child.stdout ? text(child.stdout) : '',
      child.stderr ? text(child.stderr) : '',
    ]);
    await full.close();
    expect(code).toBe(0);
    const report = join(folder, 'out', 'run-1', 'phase21', 'report.md');
    expect(await readFile(report, 'utf8')).toContain(': completed');
    expect(lost === 'stdout' ? stderr : stdout).toMatch(said);
  });
});
