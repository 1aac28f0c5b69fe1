import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createHttpEndpoint,
  createHttpPort,
  createInstalledModules,
  createProcessService,
  createReceiptGate,
  type Guard,
  type ServiceAdapter,
  type Sign,
} from '@buddy/guardian';
import { afterEach, describe, expect, it } from 'vitest';

const { signal } = new AbortController();
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'guardian-adapters-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A service that is this program, in Node. */
async function serviceOf(program: string, folder?: string): Promise<ServiceAdapter> {
  const service = createProcessService({
    id: 'api',
    command: process.execPath,
    args: ['-e', program],
    stateFolder: folder ?? (await makeFolder()),
    stopGraceMs: 300,
  });
  closers.push(() => service.stop(signal));
  return service;
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await isSo()); waited += 10) {
    if (waited > 15_000) throw new Error('it never was so');
    await sleep(10);
  }
}

async function pidOf(service: ServiceAdapter): Promise<number> {
  const state = await service.state(signal);
  return state.is === 'running' ? state.identity.pid : 0;
}

/** A zombie is gone; who reaps it, and when, is another's business. */
function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

const FOREVER = 'setInterval(() => undefined, 1_000)';

async function install() {
  const folder = await makeFolder();
  const greeter = join(folder, 'node_modules/greeter');
  await mkdir(greeter, { recursive: true });
  await writeFile(join(greeter, 'index.js'), 'good');
  await writeFile(join(folder, 'package.json'), '{"dependencies":{"greeter":"1"}}');
  const modules = createInstalledModules({ folder, snapshot: join(folder, '.snapshot') });
  await modules.takeSnapshot();
  const content = () => readFile(join(greeter, 'index.js'), 'utf8').catch(() => undefined);
  return { modules, greeter, content };
}

const call = { id: '1', tool: 'crm.read', args: { q: 1 } };
const gateWith = (decide: Guard['decide']) =>
  createReceiptGate({
    guard: { decide, policyDigest: () => 'pinned', reload: async () => undefined },
    canaries: { deny: { ...call, tool: 'crm.drop' }, allow: call },
    pinnedDigest: 'pinned',
    timeoutMs: 50,
  });
const readOnly: Guard['decide'] = async ({ tool }) => (tool === 'crm.read' ? 'allow' : 'deny');

describe.runIf(process.platform === 'linux')('a process service', () => {
  it('runs once, however often it is started, and stops, however often it is stopped', async () => {
    const service = await serviceOf(FOREVER);
    await service.start(signal);
    const pid = await pidOf(service);
    await service.start(signal);
    expect(await pidOf(service)).toBe(pid);
    expect(await service.probe(signal)).toEqual({ status: 'HEALTHY' });
    await service.stop(signal);
    await service.stop(signal);
    expect(await service.state(signal)).toEqual({ is: 'stopped' });
    expect(isThere(pid)).toBe(false);
  });

  it('tells of its end the moment it comes, and not when it was asked to end', async () => {
    const service = await serviceOf(FOREVER);
    const signs: Sign[] = [];
    service.watch?.((sign) => signs.push(sign));
    await service.start(signal);
    await service.stop(signal);
    await service.start(signal);
    process.kill(await pidOf(service), 'SIGKILL');
    await until(() => signs.length > 0);
    expect(signs).toMatchObject([
      { signal: 'process.exited', certainty: 'decisive', data: { signal: 'SIGKILL' } },
    ]);
  });

  it.each([
    ['process.exit(1)', 'process.exited'],
    ['process.exit(78)', 'config.rejected'],
    ['import("there-is-no-such-package")', 'module.not_found'],
    ['require("./there-is-no-such-file")', 'module.not_found'],
    ['throw Object.assign(new Error("listen EADDRINUSE: address in use"), {})', 'port.in_use'],
    ['console.error("JavaScript heap out of memory"); process.abort()', 'process.out_of_memory'],
  ])('says of %s that it is %s', async (program, expected) => {
    const service = await serviceOf(program);
    await service.start(signal);
    await until(async () => (await service.state(signal)).is === 'exited');
    expect(await service.probe(signal)).toMatchObject({ status: 'FAILED', signal: expected });
  });

  it('is ended by force when it does not listen, and when it is stopped', async () => {
    const service = await serviceOf(`process.on('SIGTERM', () => undefined); ${FOREVER}`);
    await service.start(signal);
    const stubborn = await pidOf(service);
    await sleep(100);
    await service.stop(signal);
    expect(isThere(stubborn)).toBe(false);
    await service.start(signal);
    const stopped = await pidOf(service);
    process.kill(stopped, 'SIGSTOP');
    await service.stop(signal);
    expect(isThere(stopped)).toBe(false);
  });

  it('is ended with its children, also with those that left its group', async () => {
    const folder = await makeFolder();
    const note = join(folder, 'child');
    const service = await serviceOf(
      `const { spawn } = require('node:child_process');
         const child = spawn(process.execPath, ['-e', ${JSON.stringify(FOREVER)}], { detached: true, stdio: 'ignore' });
         require('node:fs').writeFileSync(${JSON.stringify(note)}, String(child.pid));
         ${FOREVER}`,
      folder,
    );
    await service.start(signal);
    let child = 0;
    await until(async () => {
      child = Number(await readFile(note, 'utf8').catch(() => '0'));
      return child > 0;
    });
    expect(isThere(child)).toBe(true);
    await service.stop(signal);
    expect(isThere(child)).toBe(false);
  });

  it('is found again by who comes after, with its record and without', async () => {
    const folder = await makeFolder();
    const first = await serviceOf(FOREVER, folder);
    await first.start(signal);
    const pid = await pidOf(first);
    const second = await serviceOf(FOREVER, folder);
    expect(await pidOf(second)).toBe(pid);
    await rm(join(folder, 'api.json'));
    const third = await serviceOf(FOREVER, folder);
    await third.start(signal);
    expect(await pidOf(third)).toBe(pid);
  });

  it('does not take a process for its own that has its number and not its start', async () => {
    const folder = await makeFolder();
    const record = { pid: process.pid, start_time: '1' };
    await writeFile(join(folder, 'api.json'), JSON.stringify(record));
    const service = await serviceOf(FOREVER, folder);
    expect((await service.state(signal)).is).toBe('exited');
    await service.stop(signal); // and we are still here
    expect(isThere(process.pid)).toBe(true);
  });

  it('says what cannot be started', async () => {
    const service = createProcessService({
      id: 'api',
      command: 'there-is-no-such-command',
      stateFolder: await makeFolder(),
    });
    await expect(service.start(signal)).rejects.toThrow('api could not be started');
  });
});

describe('an HTTP port', () => {
  it.runIf(process.platform === 'linux')('knows who listens', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const number = typeof address === 'object' && address ? address.port : 0;
    const port = createHttpPort({ port: number });
    expect(await port.owner(signal)).toMatchObject({
      is: 'process',
      identity: { pid: process.pid },
    });
    server.close();
    await once(server, 'close');
    expect(await port.owner(signal)).toEqual({ is: 'nobody' });
    expect(await port.connect(signal)).toMatchObject({ signal: 'port.refused' });
  });

  it('accepts and says nothing: layer 4 is well, and the port is silent', async () => {
    const server = createServer(() => undefined).listen(0, '127.0.0.1');
    closers.push(() => server.close());
    await once(server, 'listening');
    const address = server.address();
    const number = typeof address === 'object' && address ? address.port : 0;
    const port = createHttpPort(
      { port: number, silentAfterMs: 100 },
      { lag: { begin: () => () => 0 } },
    );
    expect(await port.connect(signal)).toMatchObject({ status: 'HEALTHY' });
    expect(await port.probe(signal)).toMatchObject({
      signal: 'port.silent',
      certainty: 'ambiguous',
    });
  });
});

describe('an HTTP endpoint', () => {
  it('goes the way that it was told, and knows no other', async () => {
    const paths = { primary: 'http://127.0.0.1:1/', replica: 'http://127.0.0.1:2/' };
    const endpoint = createHttpEndpoint({ paths });
    expect(endpoint.currentUrl()).toBe(paths.primary);
    await endpoint.usePath('replica', signal);
    expect(endpoint.currentUrl()).toBe(paths.replica);
    await expect(endpoint.usePath('tunnel', signal)).rejects.toThrow('There is no path "tunnel"');
    expect(await endpoint.measure('primary', signal)).toMatchObject({ lostShare: 1 });
    expect(await endpoint.probe(signal)).toMatchObject({ signal: 'network.silent' });
  });
});

describe('installed modules', () => {
  it('see what is gone and what is changed, and put it back, twice with the result of once', async () => {
    const { modules, greeter, content } = await install();
    expect(await modules.broken(signal)).toEqual([]);
    await writeFile(join(greeter, 'index.js'), 'bad');
    expect(await modules.broken(signal)).toEqual(['greeter']);
    await modules.restore('greeter', signal);
    await modules.restore('greeter', signal);
    expect(await content()).toBe('good');
    await modules.putBack('greeter', signal);
    expect(await content()).toBe('bad');
    await modules.putBack('greeter', signal);
  });

  it('put nothing there that is not declared', async () => {
    const { modules } = await install();
    await expect(modules.restore('left-pad', signal)).rejects.toThrow('is not declared');
  });
});

describe('a gate with receipts', () => {
  it('gives a receipt that is good for one effect of that very call', async () => {
    const gate = gateWith(readOnly);
    const receipts = () => gate.adapter.receipts(signal);
    const receipt = await gate.admit(call);
    gate.noteEffect(call, receipt);
    expect(await receipts()).toEqual({ effects: 1, withReceipt: 1 });
    gate.noteEffect(call, receipt); // used
    gate.noteEffect({ ...call, args: { q: 2 } }, await gate.admit(call)); // for other arguments
    gate.noteEffect(call, undefined); // around the gate
    expect(await receipts()).toEqual({ effects: 4, withReceipt: 1 });
    expect(await gate.adapter.probe(signal)).toMatchObject({ signal: 'guardrail.bypassed' });
  });

  it.each<[string, Guard['decide']]>([
    ['throws', () => Promise.reject(new Error('guard down'))],
    ['hangs', () => new Promise(() => undefined)],
    ['denies', async () => 'deny'],
  ])('lets nothing through when the guard %s', async (_how, decide) => {
    const gate = gateWith(decide);
    await expect(gate.admit(call)).rejects.toMatchObject({ code: 'GUARDIAN_GATE_DENIED' });
    expect(await gate.adapter.probe(signal)).toMatchObject({ signal: 'guardrail.broken' });
  });

  it('lets nothing through while it is frozen, and forgets what it allowed before', async () => {
    const gate = gateWith(readOnly);
    const receipt = await gate.admit(call);
    await gate.adapter.freeze(signal);
    await expect(gate.admit(call)).rejects.toThrow('frozen');
    await gate.adapter.unfreeze(signal);
    gate.noteEffect(call, receipt);
    expect(await gate.adapter.receipts(signal)).toEqual({ effects: 1, withReceipt: 0 });
  });
});
