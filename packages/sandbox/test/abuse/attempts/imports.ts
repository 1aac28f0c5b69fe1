import { defensive, family } from '../attempt.ts';

const READ = 'readFileSync(input.secretFile, "utf8")';
const ONLY_SOURCE = defensive('reaches no code by itself; what it finds out is of the loader');

export const imports = family('import', 'leak', [
  {
    name: 'a default import of a module of Node',
    form: 'module',
    code: `import fs from 'node:fs'; export default fs.${READ}`,
    expects: { status: ['violation'], violation: 'FILESYSTEM_ATTEMPT' },
  },
  {
    name: 'a named import',
    form: 'module',
    code: `import { readFileSync } from 'fs'; export default ${READ}`,
    expects: { status: ['violation'], violation: 'FILESYSTEM_ATTEMPT' },
  },
  {
    name: 'a namespace import',
    form: 'module',
    code: `import * as fs from 'node:fs'; export default fs.${READ}`,
    expects: { status: ['violation'], violation: 'FILESYSTEM_ATTEMPT' },
  },
  {
    name: 'an import by a string name',
    form: 'module',
    code: `import { 'readFileSync' as read } from 'node:fs'; export default read(input.secretFile, "utf8")`,
    expects: { status: ['violation'], violation: 'FILESYSTEM_ATTEMPT' },
  },
  {
    name: 'an import for its side effects',
    form: 'module',
    code: `import 'node:fs'; export default process.getBuiltinModule('fs').${READ}`,
    expects: { status: ['violation'], violation: 'FILESYSTEM_ATTEMPT' },
  },
  {
    name: 'a re-export of everything',
    form: 'module',
    code: `export * from 'node:fs'; export { readFileSync } from 'node:fs'; export default process.getBuiltinModule('fs').${READ}`,
    expects: { status: ['violation', 'error'] },
  },
  {
    name: 'a default re-export',
    form: 'module',
    code: `export { env as default } from 'node:process'`,
    expects: { status: ['violation', 'error'] },
  },
  {
    name: 'an import with attributes',
    form: 'module',
    code: `import fs from 'node:fs' with {}; export default fs.${READ}`,
    expects: { status: ['violation', 'error'] },
  },
  {
    name: 'an escaped name of a module',
    form: 'module',
    code: String.raw`import fs from 'node:\u0066s'; export default fs.${READ}`,
    expects: { status: ['violation'], violation: 'FILESYSTEM_ATTEMPT' },
  },
  {
    name: 'an import from a data URL',
    form: 'module',
    code: `import it from 'data:text/javascript,export default process.env.ABUSE_CANARY'; export default it`,
    expects: { status: ['violation'], violation: 'IMPORT_ALLOWLIST_VIOLATION' },
  },
  {
    name: 'an import of what every object inherits',
    form: 'module',
    code: `import it from 'constructor'; export default it('return process')().env.ABUSE_CANARY`,
    expects: { ...defensive('no loader finds such a package'), status: ['violation'] },
  },
  {
    name: 'an import of __proto__',
    form: 'module',
    code: `import * as it from '__proto__'; export default it.constructor.constructor('return process')().env.ABUSE_CANARY`,
    expects: { ...defensive('no loader finds such a package'), status: ['violation'] },
  },
  {
    name: 'an import by an absolute path',
    form: 'module',
    code: `import it from '/etc/passwd'; export default it`,
    expects: { ...defensive('a passwd is no module'), status: ['violation'] },
  },
  {
    name: 'a function of a module of the library',
    form: 'module',
    code: `import { sqrt } from 'math'; export default sqrt.constructor('return process')().env.ABUSE_CANARY`,
    expects: defensive('a host without a sandbox has no such module'),
  },
  {
    name: 'a change of a module of the library',
    form: 'module',
    code: `import * as math from 'math'; let said; try { math.sqrt = () => 'changed' } catch (e) { said = e.name } try { Object.defineProperty(math, 'pi', { value: 3 }) } catch {} export default said`,
    expects: {
      ...defensive('a host without a sandbox has no such module'),
      afterwards: {
        code: `import { sqrt, pi } from 'math'; return [sqrt(9), pi > 3.1]`,
        value: [3, true],
      },
    },
  },
  {
    name: 'a dynamic import',
    code: `return (await import('node:fs')).${READ}`,
    expects: { status: ['violation'], violation: 'FILESYSTEM_ATTEMPT' },
  },
  {
    name: 'a dynamic import of a template',
    code: 'return (await import(`node:${"fs"}`)).' + READ,
    expects: { status: ['violation'] },
  },
  {
    name: 'a dynamic import behind a comment',
    code: `return (await import/* not */('node:fs')).${READ}`,
    expects: { status: ['violation'] },
  },
  {
    name: 'a dynamic import over two lines',
    code: `return (await import\n// not\n('node:fs')).${READ}`,
    expects: { status: ['violation'] },
  },
  {
    name: 'a dynamic import after a spread',
    code: `const all = [...[1], ...(await Promise.all([import('node:fs')]))]; return all[1].${READ}`,
    expects: { status: ['violation'] },
  },
  {
    name: 'a dynamic import with attributes',
    code: `return (await import('node:fs', { with: {} })).${READ}`,
    expects: { status: ['violation'] },
  },
  {
    name: 'a dynamic import inside a template',
    code: 'return `${(await import("node:fs")).readFileSync(input.secretFile, "utf8")}`',
    expects: { status: ['violation'] },
  },
  {
    name: 'a dynamic import in a default parameter',
    code: `return await (async (fs = import('node:fs')) => (await fs).${READ})()`,
    expects: { status: ['violation'] },
  },
  {
    name: 'a dynamic import in a computed name of a class',
    code: `class It { static [(globalThis.leftFs = import('node:fs'), 'x')] = 1 } return (await leftFs).${READ}`,
    expects: { status: ['violation', 'error'] },
  },
  {
    name: 'an escaped keyword',
    code: String.raw`return (await \u0069mport('node:fs')).${READ}`,
    expects: { ...defensive('a syntax error in every engine'), status: ['error', 'violation'] },
  },
  {
    name: 'import.meta',
    form: 'module',
    code: `export default import.meta.dirname ?? import.meta.url`,
    expects: { ...defensive('of a data URL it tells nothing'), status: ['violation'] },
  },
  {
    name: 'import.meta.resolve',
    form: 'module',
    code: `export default import.meta.resolve('node:fs')`,
    expects: { ...defensive('of a data URL it tells nothing'), status: ['violation'] },
  },
  {
    name: 'import.source of a file',
    code: `try { await import.source(input.secretFile) } catch (e) { return [e.message, e.constructor.constructor('return process')().env.ABUSE_CANARY] }`,
    expects: { status: ['violation'] },
  },
  {
    name: 'import.source of a data URL',
    code: `return await import.source('data:application/wasm;base64,AGFzbQEAAAA=')`,
    expects: { ...ONLY_SOURCE, status: ['violation'] },
  },
  {
    name: 'import.defer',
    code: `return (await import.defer('node:fs')).${READ}`,
    expects: { ...ONLY_SOURCE, status: ['violation', 'error'] },
  },
  {
    name: 'a static import of a source',
    form: 'module',
    code: `import source it from 'node:fs'; export default it`,
    expects: { ...ONLY_SOURCE, status: ['violation', 'error'] },
  },
  {
    name: 'a static deferred import',
    form: 'module',
    code: `import defer * as it from 'node:fs'; export default it.${READ}`,
    expects: { ...ONLY_SOURCE, status: ['violation', 'error'] },
  },
  {
    name: 'a dynamic import inside eval',
    code: `return (await (0, eval)('import("node:fs")')).${READ}`,
  },
  {
    name: 'a dynamic import inside eval, in pieces',
    code: `return (await (0, eval)('imp' + 'ort("node:fs")')).${READ}`,
  },
  {
    name: 'a dynamic import inside a made function',
    code: `return (await Function('return import("node:fs")')()).${READ}`,
  },
  {
    name: 'a dynamic import inside a made async function',
    code: `return (await (async () => {}).constructor('return import("node:fs")')()).${READ}`,
  },
  {
    name: 'import.source inside eval',
    code: `try { await (0, eval)('import.source("node:fs")') } catch (e) { return e.constructor.constructor('return process')().env.ABUSE_CANARY }`,
  },
  {
    name: 'import.source inside a made function',
    code: `try { await Function('return import.source("/etc/passwd")')() } catch (e) { return [e.message, e.constructor.constructor('return process')().env.ABUSE_CANARY] }`,
  },
  {
    name: 'an import in a sourceURL',
    code: `return [1].map(Function('return process.env.ABUSE_CANARY//# sourceURL=node:internal/x'))[0]`,
  },
  {
    name: 'require',
    code: `return require('fs').${READ}`,
    expects: { violation: 'FILESYSTEM_ATTEMPT' },
  },
  {
    name: 'require by another name',
    code: `const load = require; return load('node:fs').${READ}`,
    expects: { violation: 'FILESYSTEM_ATTEMPT' },
  },
  {
    name: 'require by a computed name',
    code: `return globalThis['req' + 'uire']('node:fs').${READ}`,
  },
  { name: 'require of an array', code: `return require(['fs'].join()).${READ}` },
  {
    name: 'require.cache',
    code: `return [Object.keys(require.cache), require.resolve.paths?.('x'), require('process').env.ABUSE_CANARY]`,
  },
  {
    name: 'require.main',
    code: `return require.main?.constructor ?? require('module')._load('fs').${READ}`,
  },
  {
    name: 'process.getBuiltinModule',
    code: `return process.getBuiltinModule('node:fs').${READ}`,
    expects: { violation: 'FILESYSTEM_ATTEMPT' },
  },
  {
    name: 'process.mainModule.require',
    code: `return process.mainModule?.require('fs') ?? process.getBuiltinModule('fs').${READ}`,
    expects: { violation: 'FILESYSTEM_ATTEMPT' },
  },
  {
    name: 'process.binding',
    code: `return process.binding('fs') && process.env.ABUSE_CANARY`,
    expects: { violation: 'FILESYSTEM_ATTEMPT' },
  },
  {
    name: 'createRequire',
    code: `return (await import('node:module')).createRequire('/x.js')('fs').${READ}`,
    expects: { status: ['violation'] },
  },
  {
    name: 'importScripts',
    code: `importScripts('data:text/javascript,1')`,
    expects: { ...defensive('not in Node'), violation: 'IMPORT_ALLOWLIST_VIOLATION' },
  },
]);
