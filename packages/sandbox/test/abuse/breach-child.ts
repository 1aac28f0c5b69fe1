import { spawn } from 'node:child_process';
import type { Spawn } from '@buddy/sandbox';
import { CANARY_VARIABLE } from './attempt.ts';

/**
 * What a program in the child's place begins with: it is as if all inside had been broken, down to `process` and
 * `require`. It speaks enough of the protocol to be handed a run, then does its worst; what `worst` returns, it returns.
 */
export const BREACH_HEAD = `
const fs = require('node:fs');
let run = 0, held = Buffer.alloc(0);
process.on('uncaughtException', (e) => { try { done({ status: 'value', value: 'uncaught ' + (e && e.message) }) } catch {} });
process.stdin.on('end', () => process.exit());
process.stdin.on('data', (bytes) => {
  held = Buffer.concat([held, bytes]);
  while (held.length >= 4 && held.length >= 4 + held.readUInt32BE(0)) {
    const message = JSON.parse(held.subarray(4, 4 + held.readUInt32BE(0)).toString());
    held = held.subarray(4 + held.readUInt32BE(0));
    if (message.type === 'setup') send({ type: 'ready' });
    if (message.type === 'run' && !run) {
      run = message.run;
      send({ type: 'started', run });
      begin(message.input);
    }
  }
});
async function begin(input) {
  let value;
  try { value = await worst(input) } catch (e) { value = 'refused: ' + (e && (e.code || e.message)) + ' ' + (e && e.message) }
  done({ status: 'value', value: String(value === undefined ? 'nothing' : value) });
}
function done(outcome) { send({ type: 'done', run, outcome, isIdle: true }) }
function send(message) { raw(JSON.stringify(message)); }
function raw(text) {
  const body = Buffer.from(text), frame = Buffer.concat([Buffer.alloc(4), body]);
  frame.writeUInt32BE(body.length, 0);
  bytes(frame);
}
function bytes(all) { for (let at = 0; at < all.length; ) { try { at += fs.writeSync(1, all, at) } catch (e) { if (e.code !== 'EAGAIN') throw e } } }
`;

/** The very command of a child, but for the file it runs; the first process it starts, and then those of the package. */
export function breached(program: string): Spawn {
  let isFirst = true;
  return (command, args, options) => {
    const own = args.at(-1) ?? '';
    const given = isFirst ? args.map((each) => each.replaceAll(own, program)) : args;
    isFirst = false;
    return spawn(command, given, options);
  };
}

/** The same program with no flag, limit or namespace, and the host's environment: the control. */
export function unguarded(program: string, secret: string, cwd: string): Spawn {
  let isFirst = true;
  return (command, args, options) => {
    if (!isFirst) return spawn(command, args, options);
    isFirst = false;
    return spawn(process.execPath, ['--no-warnings', program], {
      cwd,
      env: { [CANARY_VARIABLE]: secret },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
  };
}
