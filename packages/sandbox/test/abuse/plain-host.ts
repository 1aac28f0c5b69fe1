/**
 * A host without a sandbox: evaluates an attempt in its own process, as many a host does. It has the same secrets, tools
 * and targets as the host of a sandbox, and watches itself alike, so that the same oracle can judge it.
 *
 * Reads one line of JSON (`PlainTask`) and says on its standard output: `started`, a dot at each turn of its event loop,
 * and at last one line of JSON (`PlainReport`).
 */
import { readFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants, runInThisContext } from 'node:vm';
import { CANARY_VARIABLE } from './attempt.ts';
import { watchIntrinsics } from './intrinsics.ts';
import { textOf } from './oracle.ts';
import { richOutput } from './rich-output.ts';

export interface PlainTask {
  readonly code: string;
  readonly form: 'body' | 'module';
  readonly input: object;
  readonly afterwards: { readonly code: string; readonly value: unknown };
}

export interface PlainReport {
  readonly outputs: readonly string[];
  readonly changedIntrinsics: readonly string[];
  readonly aftermath: string | null;
}

// The attempt may change any of these.
const { stringify, parse } = JSON;
const exit = process.exit.bind(process);
const encode = encodeURIComponent;
const SECRET = process.env[CANARY_VARIABLE] ?? '';
const logs: unknown[] = [];

const task: PlainTask = parse(readFileSync(0, 'utf8'));
const log = (...values: unknown[]): void => void logs.push(...values);
Object.assign(globalThis, {
  require: createRequire(import.meta.url),
  input: task.input,
  console: { log, info: log, warn: log, error: log, debug: log },
  scratch: { write: () => undefined, read: () => '' },
  tools: {
    echo: async (given: unknown) => given,
    fail: async () => {
      throw Object.assign(new Error('The order is unknown'), { secret: SECRET });
    },
    rich: async () => richOutput(SECRET),
    crm: { find: async (given: unknown) => given },
  },
});
const changedSince = watchIntrinsics();
process.on('unhandledRejection', (reason) => void logs.push(reason));
process.on('uncaughtException', (error) => void logs.push(error));
setInterval(() => writeSync(1, '.'), 20);
writeSync(1, 'started');
report().catch(() => exit(70));

async function report(): Promise<void> {
  const outputs: string[] = [];
  try {
    const value = await evaluate(task.code, task.form);
    outputs.push(
      textOf(value),
      tryTo(() => stringify(value) ?? ''),
    );
    outputs.push(tryTo(() => String(value)));
  } catch (error) {
    outputs.push(
      textOf(error),
      tryTo(() => String(error)),
      tryTo(() => String(Object(error).stack)),
    );
  }
  outputs.push(textOf(logs));
  const changedIntrinsics = changedSince();
  const aftermath = await look();
  const said: PlainReport = { outputs, changedIntrinsics, aftermath };
  writeSync(1, `\n${stringify(said)}\n`);
  exit(0);
}

async function look(): Promise<string | null> {
  try {
    const value = stringify(await evaluate(task.afterwards.code, 'body'));
    return value === stringify(task.afterwards.value) ? null : `the next run gave ${value}`;
  } catch (error) {
    return `the next run threw ${tryTo(() => String(error))}`;
  }
}

async function evaluate(code: string, form: PlainTask['form']): Promise<unknown> {
  if (form === 'module') {
    const module: { default?: unknown } = await import(`data:text/javascript,${encode(code)}`);
    return module.default;
  }
  return await runInThisContext(`(async function () {\n${code}\n})()`, {
    filename: 'agent.js',
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
}

function tryTo(say: () => string): string {
  try {
    return say();
  } catch {
    return '';
  }
}
