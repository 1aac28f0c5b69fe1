import type { Output } from '@buddy/agents';
import { type Clock, countingId, defineTool, type Tool } from '@buddy/core';
import {
  createSandbox,
  type ProgramInput,
  type ProgramRunner,
  type Sandbox,
  type Spawn,
  sandboxTool,
} from '@buddy/sandbox';
import type { World } from '../world/tools.ts';
import { ProgramLedger } from './program-ledger.ts';

/**
 * What one program may use. Short, for an endless loop costs the whole of it; far above what a good one needs. The time
 * includes the tools', which on the real clock take theirs.
 */
const LIMITS = { wallMs: 30_000, cpuMs: 500, memoryMb: 64 };

export interface ProgramPorts {
  clock: Clock;
  output: Output;
  seed: number;
  spawn?: Spawn;
}

export interface Programs {
  /** What tasks with `code` call. */
  tool: Tool;
  ledger: ProgramLedger;
  /** Ends what still runs, and the sandbox with it. */
  close(): Promise<void>;
}

/**
 * Runs programs in one sandbox for the whole job, each in a process of its own, with the tools of the world inside: each
 * call of a program passes the gate, as the calls of agents do. The sandbox is opened for the first program, for most small jobs have none.
 */
export function createPrograms(
  { programTools, work }: Pick<World, 'programTools' | 'work'>,
  { clock, output, seed, spawn }: ProgramPorts,
): Programs {
  const ledger = new ProgramLedger(output, LIMITS);
  let opened: Promise<Sandbox> | undefined;
  const open = () =>
    clock.external(() => {
      opened ??= createSandbox(
        {
          tools: programTools,
          limits: LIMITS,
          isolation: 'process',
          violationLog: ledger,
        },
        { clock, newId: countingId(`exec-${seed}`), ...(spawn && { spawn }) },
      );
      return opened;
    });
  const runner: ProgramRunner = {
    tools: programTools,
    run: async (code, options) => (await open()).run(code, options),
    resume: async (token, options) => (await open()).resume(token, options),
  };
  const run = sandboxTool(runner, { onRun: (ended) => ledger.note(ended) });
  return {
    ledger,
    tool: defineTool({
      ...run,
      // An agent looks the program through before it hands it in, and may spoil it.
      execute: async (program, context) =>
        run.execute(await work(program, misspelt, context), context),
    }),
    close: async () => {
      // That it could not be opened was told to every program that wanted it.
      const sandbox = await opened?.catch(() => undefined);
      await sandbox?.close();
      ledger.close();
    },
  };
}

function misspelt(program: ProgramInput): ProgramInput {
  return { ...program, code: program.code.replace('tools.', 'tolls.') };
}
