import {
  ApprovalRequiredError,
  defineTool,
  isGoverned,
  type Tier,
  type Tool,
  type ToolContext,
} from '@buddy/core';
import { z } from 'zod';
import { ProgramFailedError, ProgramLimitError, ProgramViolationError } from '../errors.ts';
import type { RunResult } from '../run/result.ts';
import type { Sandbox } from '../sandbox.ts';
import { VIOLATION_TYPES } from '../violations/violation.ts';
import { jsonValue } from './json-value.ts';
import { MemoryPausedRuns, type PausedRuns } from './paused-runs.ts';

const ProgramInput = z.strictObject({
  /** JavaScript or TypeScript. */
  code: z.string().min(1),
  /** What the code finds as `input`. */
  input: z.unknown().optional(),
});

const ProgramOutput = z.object({
  executionId: z.string(),
  /** As JSON has it. */
  value: z.unknown(),
  /** For the model that wrote the code: the value and the log. */
  text: z.string(),
  toolCalls: z.int(),
  /** What was tried in vain, though the program went on. */
  violations: z.array(
    z.object({ type: z.enum(VIOLATION_TYPES), details: z.string(), line: z.int().nullable() }),
  ),
});

export type ProgramInput = z.output<typeof ProgramInput>;
export type ProgramOutput = z.output<typeof ProgramOutput>;

/** What the tool needs of a sandbox: the whole, or what opens one when it is needed. */
export type ProgramRunner = Pick<Sandbox, 'tools' | 'run' | 'resume'>;

export interface SandboxToolOptions {
  /** Default `sandbox.run`. */
  name?: string;
  /** Where runs are kept that wait for a person. Default in memory: see below. */
  pausedRuns?: PausedRuns;
  /** Told of each run when it has ended or was paused, whatever came of it, before the caller hears of it. */
  onRun?: (run: { result: RunResult; context: ToolContext }) => void;
}

/**
 * A tool that runs programs in a sandbox: for whoever calls tools by name, such as an agent's harness or an MCP server.
 *
 * - A run's chance comes from the idempotency key, so that a repeat draws the same numbers, and its calls get keys that
 *   begin with that key.
 * - Its tier is the highest of the tools inside **that no gate stands before**, at least 1: a governed tool decides for
 *   itself each time it is called, and to compute does nothing to the world; but a program is no way around a gate that
 *   is not there. Its effect is `pure` when all the tools' are, else `once`: a program that ran half is not safe to run
 *   again.
 * - A program that fails, breaks a rule or reaches a limit fails for good: run again, it does the same again. The failure's
 *   effect is `none` unless a tool that changes something was called.
 * - Where a tool inside needs approval, so does this call. Made again with the same key, it goes on where it stopped. The
 *   token for that is in `pausedRuns`: with the default it is lost when the process ends, and the program then starts
 *   from the beginning, asking its tools with the same keys, so that what is `pure` or `keyed` still does no harm and
 *   what is `once` happens twice. Hand in a store that lasts where that matters.
 * @throws {ProgramFailedError} From `execute`; likewise {@link ProgramViolationError}, {@link ProgramLimitError}.
 * @throws {ApprovalRequiredError} From `execute`, with the id of the first approval that the program waits for.
 * @example
 * await using sandbox = await createSandbox({ tools: [findContact] });
 * const harness = createHarness({}, { tools: [findContact, sandboxTool(sandbox)] });
 */
export function sandboxTool(
  sandbox: ProgramRunner,
  {
    name = 'sandbox.run',
    pausedRuns = new MemoryPausedRuns(),
    onRun = () => undefined,
  }: SandboxToolOptions = {},
): Tool<ProgramInput, ProgramOutput> {
  return defineTool({
    name,
    description: 'Runs a program with nothing but the tools it is handed.',
    tier: tierOf(sandbox.tools),
    effect: sandbox.tools.every(({ effect }) => effect === 'pure') ? 'pure' : 'once',
    input: ProgramInput,
    output: ProgramOutput,
    execute: async ({ code, input }, context) => {
      const { signal, idempotencyKey, actor, rationale, runId, taskId } = context;
      const caller = {
        signal,
        actor,
        rationale,
        ...(runId !== undefined && { runId }),
        ...(taskId !== undefined && { taskId }),
      };
      const token = await pausedRuns.get(idempotencyKey);
      const result =
        token === undefined
          ? await sandbox.run(code, { ...caller, input, idempotencyKey, seed: idempotencyKey })
          : await sandbox.resume(token, caller);
      if (result.status === 'paused') await pausedRuns.set(idempotencyKey, result.token);
      else if (token !== undefined) await pausedRuns.delete(idempotencyKey);
      onRun({ result, context });
      return outputOf(result, { name, tools: sandbox.tools });
    },
  });
}

function tierOf(tools: readonly Tool[]): Tier {
  return tools
    .filter((tool) => !isGoverned(tool))
    .reduce<Tier>((highest, { tier }) => (tier > highest ? tier : highest), 1);
}

function outputOf(
  result: RunResult,
  { name, tools }: { name: string; tools: readonly Tool[] },
): ProgramOutput {
  switch (result.status) {
    case 'ok': {
      const { executionId, value, calls, violations } = result;
      const text = result.toModelText();
      const toolCalls = calls.length;
      return { executionId, value: jsonValue(value), text, toolCalls, violations: [...violations] };
    }
    case 'error':
      throw new ProgramFailedError(result.error, effectOf(result, tools));
    case 'violation':
      throw new ProgramViolationError(result.violation, effectOf(result, tools));
    case 'limit':
      throw new ProgramLimitError(result.limit, result.error.message, effectOf(result, tools));
    case 'paused': {
      const [first] = result.pending;
      throw new ApprovalRequiredError(first?.tool ?? name, first?.approvalId ?? '');
    }
  }
}

/** What became of a call that was answered with an error, or not at all, nobody here knows. */
function effectOf({ calls }: RunResult, tools: readonly Tool[]): 'none' | 'unknown' {
  const changing = new Set(
    tools.filter(({ effect }) => effect !== 'pure').map((tool) => tool.name),
  );
  const mayHaveHappened = calls.some(
    ({ tool, status }) =>
      changing.has(tool) && status !== 'denied' && status !== 'approval-required',
  );
  return mayHaveHappened ? 'unknown' : 'none';
}
