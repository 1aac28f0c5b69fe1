import { defensive, family } from '../attempt.ts';

const FILES = { violation: 'FILESYSTEM_ATTEMPT' } as const;
const WRITES = { breaksThroughUnsandboxed: 'file', ...FILES } as const;
const ONLY_SCRATCH = defensive('a host without a sandbox keeps no scratch');

export const files = family('files', 'leak', [
  {
    name: 'a file that is read',
    code: 'return require("fs").readFileSync(input.secretFile, "utf8")',
    expects: FILES,
  },
  {
    name: 'a file that is read with a promise',
    code: 'return await require("fs/promises").readFile(input.secretFile, "utf8")',
    expects: FILES,
  },
  {
    name: 'a file that is read as a stream',
    code: 'let text = ""; for await (const part of require("fs").createReadStream(input.secretFile)) text += part; return text',
    expects: FILES,
  },
  {
    name: 'a file that is read by its descriptor',
    code: 'const fs = require("fs"); const fd = fs.openSync(input.secretFile); const bytes = Buffer.alloc(100); fs.readSync(fd, bytes); return String(bytes)',
  },
  {
    name: 'a file that is read as a blob',
    code: 'return await (await require("fs").openAsBlob(input.secretFile)).text()',
    expects: FILES,
  },
  {
    name: 'a file that is read by its URL',
    code: 'return require("fs").readFileSync(new URL(`file://${input.secretFile}`), "utf8")',
  },
  {
    name: 'a link to a file',
    code: 'const fs = require("fs"); fs.symlinkSync(input.secretFile, `${input.folder}/link`); return fs.readFileSync(`${input.folder}/link`, "utf8")',
    expects: FILES,
  },
  {
    name: 'an environment read from the files of the kernel',
    code: 'return require("fs").readFileSync("/proc/self/environ", "utf8")',
    expects: FILES,
  },
  {
    name: 'a file that is written',
    code: 'require("fs").writeFileSync(`${input.folder}/made`, "x")',
    expects: WRITES,
  },
  {
    name: 'a file that is appended to',
    code: 'require("fs").appendFileSync(`${input.folder}/made`, "x")',
    expects: WRITES,
  },
  {
    name: 'a folder that is made',
    code: 'require("fs").mkdirSync(`${input.folder}/made`)',
    expects: WRITES,
  },
  {
    name: 'a file that is copied',
    code: 'require("fs").cpSync(input.secretFile, `${input.folder}/made`)',
    expects: WRITES,
  },
  {
    name: 'a file where the process is',
    code: 'require("fs").writeFileSync("made", "x")',
    expects: WRITES,
  },
  {
    name: 'a database',
    code: 'const { DatabaseSync } = require("node:sqlite"); new DatabaseSync(`${input.folder}/made`).exec("CREATE TABLE made (x)")',
    expects: WRITES,
  },
  {
    name: 'a diagnostic report',
    code: 'process.report.directory = input.folder; process.report.writeReport("made.json")',
    expects: { breaksThroughUnsandboxed: 'file', violation: 'BUILTIN_VIOLATION' },
  },
  {
    name: 'a heap snapshot',
    code: 'require("v8").writeHeapSnapshot(`${input.folder}/made`)',
    expects: { breaksThroughUnsandboxed: 'file', violation: 'IMPORT_ALLOWLIST_VIOLATION' },
  },
  {
    name: 'a storage of the browser',
    code: 'localStorage.setItem("made", "x")',
    expects: { ...defensive('needs a flag in Node'), ...FILES },
  },
  {
    name: 'Deno and Bun',
    code: 'try { Deno.readTextFileSync(input.secretFile) } catch {} return await Bun.file(input.secretFile).text()',
    expects: { ...defensive('not in Node'), ...FILES },
  },
  {
    name: 'a name in scratch that leaves it',
    code: 'scratch.write("../made", "x")',
    expects: { ...ONLY_SCRATCH, status: ['violation'], ...FILES },
  },
  {
    name: 'an absolute name in scratch',
    code: 'return scratch.read("/etc/passwd")',
    expects: { ...ONLY_SCRATCH, status: ['violation'], ...FILES },
  },
  {
    name: 'names in scratch that every object inherits',
    code: 'const said = []; for (const name of ["__proto__", "constructor", "toString"]) { try { said.push(typeof scratch.read(name)) } catch (e) { said.push(e.name) } scratch.write(name, "x"); said.push(scratch.read(name)) } return [said, ({}).x]',
    expects: { ...ONLY_SCRATCH, status: ['ok'] },
  },
  {
    name: 'names in scratch with a byte of zero',
    code: String.raw`scratch.write("made\0.txt", "x")`,
    expects: { ...ONLY_SCRATCH, status: ['violation'], ...FILES },
  },
  {
    name: 'a scratch name that is not a string',
    code: 'let n = 0; return scratch.read({ toString: () => n++ ? "/etc/passwd" : "fine", replace: () => "/etc/passwd" })',
    expects: { ...ONLY_SCRATCH, status: ['error'] },
  },
  {
    name: 'a scratch text that is not a string',
    code: 'scratch.write("a", { length: -1e12, toString: () => "x" }); return 1',
    expects: { ...ONLY_SCRATCH, status: ['error'] },
  },
]);
