import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { goOnInput } from '../orchestrator/go-on-input.ts';
import type { WaitingTask } from '../orchestrator/saved-run.ts';
import { temporaryFolders } from './command.ts';

const folders = temporaryFolders();
afterAll(folders.remove);

const line = (id: string, fields: object = {}) =>
  `${JSON.stringify({ task_id: id, predicted_success_probability: 0.5, ...fields })}\n`;

async function inputWith(...lines: string[]): Promise<string> {
  const folder = await folders.make();
  await writeFile(join(folder, 'predicted_tasks.jsonl'), lines.join(''));
  return folder;
}

function waiting(taskId: string, why: WaitingTask['why'], agentId: string | null = null) {
  return { taskId, why, agentId, approvalId: null };
}

describe('what goes on of what waits', () => {
  it('is what needs approval and what depends on it, without what is done already', async () => {
    const input = await inputWith(
      line('done'),
      line('mail', { depends_on: ['done'], wave: 3, unknown: 'kept' }),
      line('after', { depends_on: ['mail', 'done'] }),
    );
    const tasks = [waiting('mail', 'approval', 'ada'), waiting('after', 'dependency')];
    const { lines, askedBy, left } = await goOnInput(input, tasks);
    expect(lines.map((text) => JSON.parse(text))).toEqual([
      expect.objectContaining({ task_id: 'mail', depends_on: [], wave: 3, unknown: 'kept' }),
      expect.objectContaining({ task_id: 'after', depends_on: ['mail'] }),
    ]);
    expect([...askedBy]).toEqual([['mail', 'ada']]);
    expect(left).toEqual([]);
  });

  it('is never a call that may have happened, nor what depends on one', async () => {
    const input = await inputWith(
      line('c', { depends_on: ['b'] }),
      line('b', { depends_on: ['lost'] }),
      line('lost'),
      line('mail'),
    );
    const tasks = [
      waiting('c', 'dependency'),
      waiting('b', 'dependency'),
      waiting('lost', 'indeterminate'),
      waiting('mail', 'approval'),
    ];
    const { lines, left } = await goOnInput(input, tasks);
    expect(lines.map((text) => JSON.parse(text))).toEqual([
      expect.objectContaining({ task_id: 'mail' }),
    ]);
    expect(left.map(({ taskId }) => taskId)).toEqual(['c', 'b', 'lost']);
  });

  it('is the first good line of each task, whatever else the input holds', async () => {
    const input = await inputWith(
      'nonsense\n',
      line('mail', { predicted_success_probability: 2 }),
      line('mail', { priority: 1 }),
      line('mail', { priority: 2 }),
      line('other'),
    );
    const { lines } = await goOnInput(input, [waiting('mail', 'approval')]);
    expect(lines.map((text) => JSON.parse(text))).toEqual([
      expect.objectContaining({ task_id: 'mail', priority: 1 }),
    ]);
  });

  it('cannot be told when the input has lost a task', async () => {
    await expect(
      goOnInput(await inputWith(line('other')), [waiting('mail', 'approval')]),
    ).rejects.toMatchObject({ code: 'EXAMPLES_GO_ON', message: expect.stringContaining('mail') });
  });
});
