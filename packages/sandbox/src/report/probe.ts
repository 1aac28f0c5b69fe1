/**
 * Runs in the place of the child's program, with the child's very flags, as if everything inside had been broken: it has
 * `process` and `require` and tries what must fail all the same. One line of JSON per try. CommonJS when it is written out.
 */
export const PROBE_SOURCE = `
const attempts = {
  'read a file': () => require('node:fs').readFileSync('/etc/hostname'),
  'write a file': () => require('node:fs').writeFileSync('/tmp/buddy-sandbox-probe', 'x'),
  'list a folder': () => require('node:fs').readdirSync('/'),
  'start a program': () => require('node:child_process').execFileSync('/bin/true'),
  'start a thread': () => new (require('node:worker_threads').Worker)('1', { eval: true }),
  'open a database': () => new (require('node:sqlite').DatabaseSync)('/tmp/buddy-sandbox-probe.db'),
  'load an addon': () => process.dlopen({ exports: {} }, '/tmp/none.node'),
  'read the environment': () => { if (Object.keys(process.env).length > 0) return; throw Object.assign(new Error('empty'), { code: 'EMPTY' }); },
  'connect to the network': () => new Promise((resolve, reject) => {
    const socket = require('node:net').connect(PORT, '127.0.0.1', resolve);
    socket.on('error', reject);
  }),
};
(async () => {
  for (const [name, attempt] of Object.entries(attempts)) {
    let said = { name, isHeld: false, details: 'it worked' };
    try { await attempt(); } catch (error) { said = { name, isHeld: true, details: String(error.code ?? error.message).slice(0, 200) }; }
    require('node:fs').writeSync(1, JSON.stringify(said) + '\\n');
  }
  process.exit(0);
})();
`;
