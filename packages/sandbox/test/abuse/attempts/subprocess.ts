import { defensive, family } from '../attempt.ts';

const SUBPROCESS = { violation: 'SUBPROCESS_ATTEMPT' } as const;
const TOUCH = '["-c", `touch ${input.folder}/made`]';

export const subprocess = family('subprocess', 'file', [
  {
    name: 'execSync',
    code: 'return String(require("child_process").execSync(`touch ${input.folder}/made`))',
    expects: SUBPROCESS,
  },
  {
    name: 'execFileSync',
    code: `return String(require("node:child_process").execFileSync("/bin/sh", ${TOUCH}))`,
    expects: SUBPROCESS,
  },
  {
    name: 'spawn',
    code: `const it = require("child_process").spawn("/bin/sh", ${TOUCH}); await new Promise((done) => it.on("close", done).on("error", done))`,
    expects: SUBPROCESS,
  },
  {
    name: 'spawnSync found by getBuiltinModule',
    code: `return process.getBuiltinModule("child_process").spawnSync("/bin/sh", ${TOUCH}).status`,
    expects: SUBPROCESS,
  },
  {
    name: 'fork',
    code: 'const it = require("child_process").fork("--", { execArgv: ["--eval", `require("fs").writeFileSync(${JSON.stringify(input.folder + "/made")}, "")`], stdio: "ignore" }); await new Promise((done) => it.on("close", done).on("error", done))',
    expects: SUBPROCESS,
  },
  {
    name: 'a binding that starts processes',
    code: `process.binding("spawn_sync").spawn({ file: "/bin/sh", args: ["sh", ...${TOUCH}], envPairs: [], stdio: [] })`,
    expects: SUBPROCESS,
  },
  {
    name: 'a worker thread',
    code: 'const { Worker } = require("worker_threads"); const it = new Worker(`require("fs").writeFileSync(${JSON.stringify(input.folder + "/made")}, "")`, { eval: true }); await new Promise((done) => it.on("exit", done).on("error", done))',
    expects: SUBPROCESS,
  },
  {
    name: "a worker of the browser's kind",
    code: 'return new Worker("data:text/javascript,1")',
    expects: { ...defensive('not in Node'), ...SUBPROCESS },
  },
  {
    name: 'a cluster',
    code: 'const cluster = require("cluster"); cluster.setupPrimary({ exec: "--", execArgv: ["--eval", `require("fs").writeFileSync(${JSON.stringify(input.folder + "/made")}, "")`], silent: true }); const it = cluster.fork(); await new Promise((done) => it.on("exit", done).on("error", done))',
    expects: SUBPROCESS,
  },
  {
    name: 'an addon',
    code: 'process.dlopen({ exports: {} }, input.secretFile)',
    expects: { ...defensive('no addon to load is at hand'), ...SUBPROCESS },
  },
  {
    name: 'a signal to the host',
    code: 'process.kill(input.pid, 0); process.kill(process.pid, "SIGKILL"); await new Promise((done) => setTimeout(done, 1e4))',
    expects: { breaksThroughUnsandboxed: 'death', ...SUBPROCESS },
  },
  {
    name: 'an exit',
    code: 'process.exit(3)',
    expects: { breaksThroughUnsandboxed: 'death', violation: 'BUILTIN_VIOLATION' },
  },
  {
    name: 'an exit by reallyExit',
    code: 'process.reallyExit(3)',
    expects: { breaksThroughUnsandboxed: 'death', violation: 'BUILTIN_VIOLATION' },
  },
  {
    name: 'an abort',
    code: 'process.abort()',
    expects: { breaksThroughUnsandboxed: 'death', violation: 'BUILTIN_VIOLATION' },
  },
  {
    name: 'another program in the place of this one',
    code: 'process.execve("/bin/sh", ["sh", "-c", `touch ${input.folder}/made`], {})',
    expects: SUBPROCESS,
  },
  {
    name: 'an exit on the next turn',
    code: 'setTimeout(() => process.exit(3), 1); await new Promise((done) => setTimeout(done, 1e4))',
    expects: { breaksThroughUnsandboxed: 'death', violation: 'BUILTIN_VIOLATION' },
  },
  {
    name: 'listeners of the process',
    code: 'process.removeAllListeners(); process.on("exit", () => { process.exitCode = 3 }); process.emit("SIGTERM"); process.exit()',
    expects: { breaksThroughUnsandboxed: 'death', violation: 'BUILTIN_VIOLATION' },
  },
  {
    name: 'Deno and Bun',
    code: 'try { new Deno.Command("sh") } catch {} return Bun.spawn(["sh"])',
    expects: { ...defensive('not in Node'), ...SUBPROCESS },
  },
]);
