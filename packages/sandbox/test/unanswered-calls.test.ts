import { setImmediate as nextTurn } from 'node:timers/promises';
import { ApprovalRequiredError, defineTool, ManualClock } from '@buddy/core';
import { createSandbox, type RunResult, type SandboxInput } from '@buddy/sandbox';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const clock = new ManualClock();
const send = defineTool({
  name: 'mail.send',
  description: 'Sends a mail, which takes a while.',
  tier: 1,
  effect: 'once',
  input: z.object({}),
  output: z.string(),
  execute: async (_input, { signal }) => {
    await clock.sleep(300, signal);
    return 'sent';
  },
});
const approve = defineTool({
  name: 'mail.approve',
  description: 'Waits for a person.',
  tier: 1,
  effect: 'once',
  input: z.object({}),
  output: z.string(),
  execute: () => Promise.reject(new ApprovalRequiredError('mail.approve', 'approval-1')),
});

async function play(code: string, limits: SandboxInput['limits'] = {}): Promise<RunResult> {
  await using sandbox = await createSandbox({ tools: [send, approve], limits }, { clock });
  return await clock.run(() => sandbox.run(code));
}

describe('a call that was not answered when the run ended', () => {
  it('is named to the author of a program that forgot to await it', async () => {
    const result = await play('tools.mail.send({});\n"done"');
    expect(result).toMatchObject({ status: 'ok', calls: [{ status: 'unanswered', error: null }] });
    expect(result.toModelText()).toBe(
      'Result: "done"\n1 call was not awaited and was stopped; it may or may not have happened: ' +
        'mail.send (line 1). Write await before every call.',
    );
  });

  it('stays unanswered in the result, whatever its tool says to nobody afterwards', async () => {
    const result = await play('tools.mail.send({}); "done"');
    const text = result.toModelText();
    await nextTurn();
    expect(result.calls).toMatchObject([{ status: 'unanswered', error: null }]);
    expect(result.toModelText()).toBe(text);
  });

  it('is named when the program throws meanwhile, with the others', async () => {
    const result = await play(
      'const both = [tools.mail.send({}),\ntools.mail.send({})];\nthrow new Error("enough")',
    );
    expect(result).toMatchObject({ status: 'error' });
    expect(result.toModelText()).toContain(
      '2 calls were not answered by then and were stopped; each may or may not have happened: ' +
        'mail.send (line 1), mail.send (line 2).',
    );
  });

  it('is named when the run reaches a limit', async () => {
    const code = 'await Promise.all([tools.mail.send({}), tools.mail.send({})])';
    const result = await play(code, { maxToolCalls: 1 });
    expect(result).toMatchObject({ status: 'limit' });
    expect(result.toModelText()).toContain('1 call was not answered by then and was stopped');
  });

  it('is said not to have begun when the run is paused', async () => {
    const code = 'await Promise.all([tools.mail.approve({}), tools.mail.send({})])';
    const result = await play(code, { maxToolCallsInFlight: 1 });
    expect(result).toMatchObject({ status: 'paused' });
    expect(result.toModelText()).toContain(
      '1 call was not begun yet; made when the program goes on: mail.send (line 1).',
    );
  });

  it('is not spoken of where there is none', async () => {
    const result = await play('await tools.mail.send({})');
    expect(result.toModelText()).toBe('Result: "sent"');
  });
});
