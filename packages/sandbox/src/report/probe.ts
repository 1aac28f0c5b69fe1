export interface ProbeTargets {
  /** A folder with a file `canary` in it, open to whoever may use files at all. */
  folder: string;
  /** A program that does nothing but end. */
  program: { path: string; args: readonly string[] };
  /** Of a server on 127.0.0.1 that takes connections. */
  port: number;
}

/**
 * Runs in the place of the child's program, with the child's very flags, as if everything inside had been broken: it has
 * `process` and `require` and tries what must fail all the same. One line of JSON per try. CommonJS when it is written out.
 *
 * An attempt is held only where it fails by the refusal that belongs to it: one that fails for another reason, such as a
 * file that is missing, was stopped by chance.
 */
export function probeSource({ folder, program, port }: ProbeTargets): string {
  return `
const folder = ${JSON.stringify(folder)};
const DENIED = ['ERR_ACCESS_DENIED'];
const attempts = {
  'read a file': [DENIED, () => require('node:fs').readFileSync(folder + '/canary')],
  'write a file': [DENIED, () => require('node:fs').writeFileSync(folder + '/written', 'x')],
  'list a folder': [DENIED, () => require('node:fs').readdirSync(folder)],
  'start a program': [DENIED, () => require('node:child_process').execFileSync(${JSON.stringify(program.path)}, ${JSON.stringify(program.args)})],
  'start a thread': [DENIED, () => new (require('node:worker_threads').Worker)('1', { eval: true })],
  'open a database': [['ERR_UNKNOWN_BUILTIN_MODULE', ...DENIED], () => new (require('node:sqlite').DatabaseSync)(folder + '/database')],
  'load an addon': [['ERR_DLOPEN_DISABLED'], () => process.dlopen({ exports: {} }, folder + '/canary')],
  'open an inspector': [DENIED, () => { const inspector = require('node:inspector'); inspector.open(0); inspector.close(); }],
  'read the environment': [['EMPTY'], () => { if (Object.keys(process.env).length === 0) throw Object.assign(new Error(), { code: 'EMPTY' }); }],
  // Refused by the permission model; or, in a namespace of its own, there is no way to anywhere.
  'connect to the network': [['ENETUNREACH', ...DENIED], () => new Promise((resolve, reject) => {
    require('node:net').connect(${port}, '127.0.0.1', resolve).on('error', reject);
  })],
};
process.stdin.on('end', () => process.exit(0)).resume();
(async () => {
  for (const [name, [refusals, attempt]] of Object.entries(attempts)) {
    let said = { name, isHeld: false, details: 'it worked' };
    try { await attempt(); } catch (error) {
      const code = String(error.code ?? error.message).slice(0, 200);
      said = { name, isHeld: refusals.includes(error.code), details: code };
    }
    require('node:fs').writeSync(1, JSON.stringify(said) + '\\n');
  }
  require('node:fs').writeSync(1, 'end\\n');
})();
`;
}

/** The child's own program, and after it what looks for what the program should have taken away. */
export function startRealmProbeSource(childProgram: string): string {
  return `'use strict'; const $probe = { write: require('node:fs').writeSync, later: setImmediate };
${childProgram}
$probe.later(() => {
  const say = (name, isHeld, details) => $probe.write(1, JSON.stringify({ name, isHeld, details }) + '\\n');
  const found = ${JSON.stringify(HOST_GLOBALS)}.filter((name) => name in globalThis);
  say('find what Node has', found.length === 0, found.join(', ') || 'nothing is there');
  const refused = (name, expected, attempt) => {
    try { attempt(); say(name, false, 'it worked'); }
    catch (error) { say(name, error.message.includes(expected), error.message.slice(0, 200)); }
  };
  refused('load a module', 'There are no modules here', () => require('node:fs'));
  $probe.write(1, 'end\\n');
});
`;
}

const HOST_GLOBALS = ['process', 'Buffer', 'fetch', 'setTimeout', 'setImmediate', 'WebAssembly'];

/** Says what no child of ours says, and stays. */
export const LIAR_SOURCE = `
require('node:fs').writeSync(1, Buffer.from([0, 0, 0, 2, 0x7b, 0x7d]));
process.stdin.on('end', () => process.exit(0)).resume();
`;
