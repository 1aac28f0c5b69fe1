import { spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { parseOrThrow } from '@buddy/core';
import { z } from 'zod';
import { SandboxDownError, TemplateChangedError } from '../../errors.ts';
import { sendSignal } from '../process/send-signal.ts';
import type { SandboxHost } from './guarded-sandbox.ts';

export const CodeRunnerOptions = z.strictObject({
  /** A program that reads lines `{ id, code }` and writes lines `{ id, status, value }`, in any order. */
  command: z.string().min(1),
  args: z.array(z.string()).default([]),
  cwd: z.string().optional(),
  /** All of its environment; nothing is inherited. */
  env: z.record(z.string(), z.string()).default({}),
  /** Its file, and the SHA-256 (hexadecimal) that this has to have: another program is not started. */
  template: z.strictObject({ path: z.string().min(1), sha256: z.string().length(64) }),
});
export type CodeRunnerInput = z.input<typeof CodeRunnerOptions>;

export interface CodeRunner extends SandboxHost {
  readonly pid: number;
}

const Answer = z.object({ id: z.int(), status: z.string(), value: z.json().optional() });

/**
 * Starts a program that runs code, in a process group of its own and with an environment of its own. How much it may do is
 * for its command line to say: Node's `--permission`, a container, a user without rights.
 * @throws {InvalidInputError} When the options are not usable.
 * @throws {TemplateChangedError} When the program is not the pinned one.
 */
export async function startCodeRunner(input: CodeRunnerInput): Promise<CodeRunner> {
  const { command, args, cwd, env, template } = parseOrThrow(
    CodeRunnerOptions,
    input,
    'a code runner',
  );
  const found = hash('sha256', await readFile(template.path));
  if (found !== template.sha256) throw new TemplateChangedError(template.path, found);
  const child = spawn(command, args, {
    cwd,
    env,
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const exited = once(child, 'exit');
  exited.catch(() => undefined); // told by `spawn` below
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  const pending = new Map<number, PromiseWithResolvers<z.output<typeof Answer>>>();
  let last = 0;
  child.stdin.on('error', () => undefined); // it ended; whoever waits is told so below
  child.once('exit', () => {
    for (const { reject } of pending.values()) reject(new SandboxDownError());
    pending.clear();
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer = readAnswer(line);
    if (!answer) return; // what it says besides is not for us
    pending.get(answer.id)?.resolve(answer);
    pending.delete(answer.id);
  });
  return {
    pid,
    run: async (code, { signal }) => {
      signal.throwIfAborted();
      if (child.exitCode !== null || child.signalCode !== null) throw new SandboxDownError();
      const id = (last += 1);
      const answer = Promise.withResolvers<z.output<typeof Answer>>();
      pending.set(id, answer);
      const giveUp = () => answer.reject(signal.reason);
      signal.addEventListener('abort', giveUp, { once: true });
      child.stdin.write(`${JSON.stringify({ id, code })}\n`);
      try {
        const { status, value } = await answer.promise;
        return { status, value };
      } finally {
        pending.delete(id);
        signal.removeEventListener('abort', giveUp);
      }
    },
    close: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      sendSignal(-pid, 'SIGKILL'); // its whole group, also when it stands still
      await exited;
    },
  };
}

function readAnswer(line: string): z.output<typeof Answer> | undefined {
  try {
    return Answer.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
