import {
  ApprovalRequiredError,
  defineTool,
  markGoverned,
  type Tier,
  type Tool,
  type ToolContext,
  toolContext,
  type ToolEffect,
} from '@buddy/core';
import { createSandbox, MemoryPausedRuns, type RunResult, sandboxTool } from '@buddy/sandbox';
import { createFakeSandbox } from '@buddy/sandbox/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

function toolOf(
  name: string,
  tier: Tier,
  effect: ToolEffect,
  answer: () => unknown = () => 1,
): Tool {
  return defineTool({
    name,
    description: 'Answers.',
    tier,
    effect,
    input: z.unknown(),
    output: z.unknown(),
    execute: answer,
  });
}

const LOOK = toolOf('look', 1, 'pure');
const SAVE = toolOf('save', 2, 'once');
const MAIL = toolOf('mail', 3, 'keyed');

function contextOf(known: Partial<ToolContext> = {}): ToolContext {
  return toolContext({ actor: { kind: 'agent', id: 'ada' }, idempotencyKey: 'work-1', ...known });
}

describe('the tool that runs programs', () => {
  it('answers with the value as JSON, and a text for the model that wrote the program', async () => {
    await using sandbox = await createSandbox({ tools: [LOOK] });
    const program = {
      code: `console.log('hi');
        try { fetch('x') } catch {}
        ({ at: new Date(0), big: 2n ** 60n, set: new Set([1]), map: new Map([['a', input]]),
           none: undefined, odd: [NaN, null, true], looked: await tools.look() })`,
      input: { n: 1 },
    };
    const output = await sandboxTool(sandbox).execute(program, contextOf());
    expect(output).toMatchObject({
      executionId: expect.stringMatching(/^exec-/),
      value: {
        at: '1970-01-01T00:00:00.000Z',
        big: '1152921504606846976',
        set: [1],
        map: [['a', { n: 1 }]],
        none: null,
        odd: [null, null, true],
        looked: 1,
      },
      text: expect.stringContaining('Log:\nhi'),
      toolCalls: 1,
      violations: [{ type: 'NETWORK_ACCESS_ATTEMPT' }],
    });
    expect(JSON.parse(JSON.stringify(output))).toEqual(output);
  });

  it('hands on who calls and why, and draws the same chance for the same work', async () => {
    const seen: unknown[] = [];
    const who = defineTool({
      ...LOOK,
      name: 'who',
      execute: (_input, { actor, rationale, runId, taskId, idempotencyKey }) =>
        void seen.push([actor.id, rationale, runId, taskId, idempotencyKey]),
    });
    await using sandbox = await createSandbox({ tools: [who] });
    const tool = sandboxTool(sandbox);
    const program = { code: 'await tools.who(); Math.random()' };
    const known = { rationale: 'a test', runId: 'run-1', taskId: 'task-1' };
    const first = await tool.execute(program, contextOf(known));
    const again = await tool.execute(program, contextOf(known));
    const other = await tool.execute(program, contextOf({ ...known, idempotencyKey: 'work-2' }));
    expect(again.value).toBe(first.value);
    expect(other.value).not.toBe(first.value);
    expect(seen).toEqual([
      ['ada', 'a test', 'run-1', 'task-1', 'work-1:1'],
      ['ada', 'a test', 'run-1', 'task-1', 'work-1:1'],
      ['ada', 'a test', 'run-1', 'task-1', 'work-2:1'],
    ]);
  });

  it.each<[string, Tool[], Tier]>([
    ['no tool inside', [], 1],
    ['one that looks', [LOOK], 1],
    ['one that changes', [LOOK, SAVE], 2],
    ['one that mails', [MAIL, SAVE], 3],
    ['one that mails behind a gate', [markGoverned(MAIL), SAVE], 2],
    ['only governed ones', [markGoverned(MAIL), markGoverned(SAVE)], 1],
  ])('with %s is of the tier of what no gate stands before', (_what, tools, tier) => {
    expect(sandboxTool(createFakeSandbox({}, { tools })).tier).toBe(tier);
  });

  it('may be repeated only if all that is inside may', () => {
    expect(sandboxTool(createFakeSandbox({}, { tools: [LOOK] })).effect).toBe('pure');
    expect(sandboxTool(createFakeSandbox({}, { tools: [LOOK, MAIL] })).effect).toBe('once');
  });

  it.each([
    ['throws', "throw new RangeError('no')", 'SANDBOX_PROGRAM_FAILED', 'RangeError: no (line 1)'],
    ['is misspelt', 'totl + 1', 'SANDBOX_PROGRAM_FAILED', 'totl'],
    ['has no data for a value', '() => ({ f() {} })', 'SANDBOX_PROGRAM_FAILED', 'value.f'],
    ['goes where it may not', "await fetch('http://x')", 'SANDBOX_PROGRAM_VIOLATION', 'NETWORK'],
    ['does not end', 'for (;;) {}', 'SANDBOX_PROGRAM_LIMIT', '150 ms of processor time'],
  ])('fails for good when the program %s', async (_what, code, errorCode, words) => {
    await using sandbox = await createSandbox({ limits: { cpuMs: 150 } });
    await expect(sandboxTool(sandbox).execute({ code }, contextOf())).rejects.toMatchObject({
      code: errorCode,
      message: expect.stringContaining(words),
      retryable: false,
      effect: 'none',
    });
  });

  it.each([
    ['only looked', 'await tools.look(); throw 1', 'none'],
    ['changed something', 'await tools.save(); throw 1', 'unknown'],
    ['tried to, and does not know', 'try { await tools.fail() } catch {} throw 1', 'unknown'],
    ['broke a rule after that', "await tools.save(); fetch('x')", 'unknown'],
  ])('says of a failed program that %s what it left behind', async (_what, code, effect) => {
    const fail = toolOf('fail', 2, 'once', () => {
      throw new Error('lost');
    });
    await using sandbox = await createSandbox({ tools: [LOOK, SAVE, fail] });
    const call = sandboxTool(sandbox).execute({ code }, contextOf());
    await expect(call).rejects.toMatchObject({ effect, retryable: false });
  });

  it('rejects as it is told to stop', async () => {
    await using sandbox = await createSandbox();
    const stop = AbortSignal.abort(new Error('enough'));
    const call = sandboxTool(sandbox).execute({ code: '1' }, contextOf({ signal: stop }));
    await expect(call).rejects.toThrow('enough');
  });

  it('tells its host of every run, also of one that failed', async () => {
    const seen: string[] = [];
    const onRun = ({ result, context }: { result: RunResult; context: ToolContext }) =>
      void seen.push(`${context.taskId} ${result.status}`);
    const tool = sandboxTool(createFakeSandbox({ good: () => 1, bad: () => Promise.reject(1) }), {
      name: 'programs.run',
      onRun,
    });
    await tool.execute({ code: 'good' }, contextOf({ taskId: 'a' }));
    await tool.execute({ code: 'bad' }, contextOf({ taskId: 'b' })).catch(() => undefined);
    expect(tool.name).toBe('programs.run');
    expect(seen).toEqual(['a ok', 'b error']);
  });
});

function world() {
  const asked: string[] = [];
  const approved = new Set<unknown>();
  const look = defineTool({ ...LOOK, execute: () => asked.push('look') });
  const send = markGoverned(
    defineTool({
      ...MAIL,
      name: 'send',
      execute: (to, { idempotencyKey }) => {
        asked.push(`send ${String(to)} ${idempotencyKey}`);
        if (!approved.has(to)) throw new ApprovalRequiredError('send', `approval-${String(to)}`);
        return `sent to ${String(to)}`;
      },
    }),
  );
  return { asked, approved, tools: [look, send] };
}

describe('a program of which a tool needs approval', () => {
  const CODE =
    "const x = await tools.look(); const sent = [await tools.send('ada'), await tools.send('bob')]; [x, sent]";

  it('needs approval too, one after the other, and then goes on where it stopped', async () => {
    const { asked, approved, tools } = world();
    const pausedRuns = new MemoryPausedRuns();
    await using sandbox = await createSandbox({ tools });
    const tool = sandboxTool(sandbox, { pausedRuns });
    const call = () => tool.execute({ code: CODE }, contextOf());
    for (const name of ['ada', 'bob']) {
      await expect(call()).rejects.toMatchObject({
        code: 'CORE_APPROVAL_REQUIRED',
        tool: 'send',
        approvalId: `approval-${name}`,
      });
      expect(await pausedRuns.get('work-1')).toEqual(expect.any(String));
      approved.add(name);
    }
    expect(await call()).toMatchObject({ value: [1, ['sent to ada', 'sent to bob']] });
    expect(asked).toEqual([
      'look',
      'send ada work-1:2',
      'send ada work-1:2',
      'send bob work-1:3',
      'send bob work-1:3',
    ]);
    expect(await pausedRuns.get('work-1')).toBeUndefined();
  });

  it('goes on after a restart if its store lasts, and else begins anew with the same keys', async () => {
    const { asked, approved, tools } = world();
    const pausedRuns = new MemoryPausedRuns();
    await using sandbox = await createSandbox({ tools });
    const callAnew = (store?: MemoryPausedRuns) =>
      sandboxTool(sandbox, store ? { pausedRuns: store } : {}).execute({ code: CODE }, contextOf());
    await expect(callAnew(pausedRuns)).rejects.toMatchObject({ approvalId: 'approval-ada' });
    approved.add('ada').add('bob');
    expect(await callAnew(pausedRuns)).toMatchObject({ value: [1, expect.anything()] });
    expect(await callAnew()).toMatchObject({ value: [5, expect.anything()] });
    expect(asked.filter((call) => call === 'look')).toHaveLength(2);
    expect(new Set(asked)).toEqual(new Set(['look', 'send ada work-1:2', 'send bob work-1:3']));
  });
});
