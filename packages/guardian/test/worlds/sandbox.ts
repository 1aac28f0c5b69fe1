import { hash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CodeRunner,
  type GuardedSandbox,
  openGuardedSandbox,
  startCodeRunner,
} from '@buddy/guardian';
import type { PlaybookWorld } from '../playbook-contract.ts';
import { openGround } from './ground.ts';

const { signal } = new AbortController();
const program = new URL('../children/code-runner.ts', import.meta.url).pathname;

export interface SandboxWorld extends PlaybookWorld {
  guarded: GuardedSandbox;
  /** The process of now. */
  runner: () => CodeRunner;
  /** The code that reads what no job may. */
  readSecret: string;
  grants: Set<string>;
  /** From now on the program is not the pinned one. */
  breakTemplate: () => void;
}

/**
 * A process that runs code under Node's permission model, which lets it read itself and nothing else; and a secret beside
 * it. The fault: the process was started without the permission model, so that code reads the secret for real.
 */
export async function openSandboxWorld({
  onRevoked,
}: {
  /** Called when the grants were taken away. */
  onRevoked?: (() => void) | undefined;
} = {}): Promise<SandboxWorld> {
  const ground = await openGround('sandbox');
  const secret = join(ground.folder, 'secret.txt');
  await writeFile(secret, 'the secret');
  const readSecret = `return process.getBuiltinModule('fs').readFileSync(${JSON.stringify(secret)}, 'utf8')`;
  let sha256 = hash('sha256', await readFile(program));
  const grants = new Set(['token-1']);
  let isLoose = false;
  let runner: CodeRunner | undefined;
  let jobs = 0;
  const guarded = await openGuardedSandbox(
    {
      canaries: [
        { name: 'reads a file', code: readSecret },
        {
          name: 'starts a process',
          code: `return process.getBuiltinModule('child_process').execFileSync('true').length`,
        },
      ],
      smoke: { code: 'return 1 + 1', expects: 2 },
      lookTimeoutMs: 800,
    },
    {
      create: async () => {
        const held = isLoose ? [] : ['--permission', `--allow-fs-read=${program}`];
        runner = await startCodeRunner({
          command: process.execPath,
          args: [...held, program],
          template: { path: program, sha256 },
        });
        return runner;
      },
      revokeGrants: async () => {
        grants.clear();
        onRevoked?.();
      },
    },
  );
  const { adapter } = guarded;
  const isBreached = async () => {
    jobs += 1;
    const tried = guarded.run({ id: `try-${jobs}`, code: readSecret });
    return tried.then(
      ({ value }) => value === 'the secret',
      () => false,
    );
  };
  return {
    guarded,
    grants,
    readSecret,
    breakTemplate: () => {
      sha256 = hash('sha256', 'another program');
    },
    runner: () => {
      if (!runner) throw new Error('there is none');
      return runner;
    },
    resources: [{ id: 'sandbox', adapter }],
    subject: 'sandbox',
    isBrokenInSteps: true,
    fault: {
      name: 'a runner without its permission model, and a job in it that does not end',
      apply: async () => {
        isLoose = true;
        await adapter.rebuild(signal);
        isLoose = false;
        jobs += 1;
        void guarded
          .run({ id: `job-${jobs}`, code: 'await new Promise(() => {})' })
          .catch(() => undefined);
      },
      isPresent: isBreached,
      revert: async () => undefined,
    },
    symptom: async () => ({ signal: 'sandbox.breached' }),
    state: async () => ({
      isUp: (await adapter.smokeTest(signal)).status === 'HEALTHY',
      isBreached: await isBreached(),
      jobs: (await adapter.jobs(signal)).length,
    }),
    // Whatever else became of it: it is ended, and no job comes back.
    afterRollback: () => ({ isUp: false, isBreached: false, jobs: 0 }),
    close: () => ground.close(() => guarded.close()),
  };
}
