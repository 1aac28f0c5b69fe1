import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createGuardian,
  createHttpEndpoint,
  createHttpPort,
  createInstalledModules,
  createProcessService,
  createReceiptGate,
  guardrailBypassed,
  moduleNotFound,
  networkDegradation,
  portNotResponding,
  serviceCrashed,
  type PortAdapter,
  type ServiceAdapter,
} from '@buddy/guardian';
import { describe, expect, it } from 'vitest';
import { describePlaybook, type PlaybookWorld } from './playbook-contract.ts';

const { signal } = new AbortController();

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

/** A service in a process of its own that answers HTTP, and its port. It is up. */
async function startHttpService(program: string, cwd?: string) {
  const folder = await mkdtemp(join(tmpdir(), 'guardian-world-'));
  const number = await freePort();
  const port: PortAdapter = createHttpPort({ port: number });
  const service: ServiceAdapter = createProcessService(
    {
      id: 'api',
      command: process.execPath,
      args: [program],
      env: { PORT: String(number) },
      stateFolder: folder,
      stopGraceMs: 200,
      ...(cwd !== undefined && { cwd }),
    },
    { ready: (own) => port.probe(own) },
  );
  await service.start(signal);
  await until(async () => (await port.probe(signal)).status === 'HEALTHY');
  const pid = async () => {
    const state = await service.state(signal);
    return state.is === 'running' ? state.identity.pid : undefined;
  };
  const close = async () => {
    await service.stop(signal);
    await rm(folder, { recursive: true });
  };
  return { service, port, number, pid, close };
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await isSo()); waited += 10) {
    if (waited > 20_000) throw new Error('it never was so');
    await sleep(10);
  }
}

const program = new URL('children/http-service.ts', import.meta.url).pathname;

/** Asks from outside, by a client that the guardian has no part in. */
async function answers(port: number): Promise<boolean> {
  const request = fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(400) });
  return request.then(
    (response) => response.ok,
    () => false,
  );
}

async function crashWorld(): Promise<PlaybookWorld> {
  const { service, number, pid, close } = await startHttpService(program);
  return {
    resources: [{ id: 'api', adapter: service }],
    subject: 'api',
    fault: {
      name: 'SIGKILL',
      apply: async () => {
        process.kill((await pid()) ?? 0, 'SIGKILL');
        await until(async () => (await pid()) === undefined);
      },
      isPresent: async () => !(await answers(number)),
      revert: async () => undefined,
    },
    symptom: async () => ({ signal: 'process.exited' }),
    state: async () => ({ isRunning: (await pid()) !== undefined }),
    close,
  };
}

async function hangWorld(): Promise<PlaybookWorld> {
  const { service, port, number, pid, close } = await startHttpService(program);
  let stopped: number | undefined;
  return {
    resources: [
      // What runs is well, as far as the process goes; that it hangs is seen at its port.
      { id: 'api', adapter: withProbe(service) },
      { id: 'api-port', adapter: port, dependsOn: ['api'] },
    ],
    subject: 'api-port',
    fault: {
      name: 'SIGSTOP',
      apply: async () => {
        stopped = await pid();
        process.kill(stopped ?? 0, 'SIGSTOP');
      },
      isPresent: async () => !(await answers(number)),
      revert: async () => undefined,
    },
    symptom: async () => ({ signal: 'port.silent' }),
    state: async () => ({ isRunning: (await pid()) !== undefined }),
    close,
  };
}

function withProbe(service: ServiceAdapter): ServiceAdapter {
  return {
    kind: 'service',
    probe: async (own) =>
      (await service.state(own)).is === 'running'
        ? { status: 'HEALTHY' }
        : { status: 'FAILED', signal: 'process.exited', certainty: 'decisive', note: 'down' },
    state: (own) => service.state(own),
    start: (own) => service.start(own),
    stop: (own) => service.stop(own),
  };
}

async function slowPathWorld(): Promise<PlaybookWorld> {
  const delayMs = { primary: 0, replica: 0 };
  const serve = async (name: 'primary' | 'replica') => {
    const server = createHttpServer((_request, response) => {
      setTimeout(() => response.end('ok'), delayMs[name]);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    return { server, url: `http://127.0.0.1:${port}/` };
  };
  const [primary, replica] = [await serve('primary'), await serve('replica')];
  const endpoint = createHttpEndpoint({
    paths: { primary: primary.url, replica: replica.url },
    // Generous, so that a busy machine is no slow network; the fault is slower by far.
    baselineMs: { primary: 60, replica: 60 },
  });
  const slowBy = 600;
  return {
    resources: [{ id: 'billing', adapter: endpoint }],
    subject: 'billing',
    fault: {
      name: 'latency on the way in use',
      apply: async () => {
        delayMs.primary = slowBy;
        delayMs.replica = 0;
        await endpoint.usePath('primary', signal);
      },
      isPresent: async () => {
        const startedAt = performance.now();
        await (await fetch(endpoint.currentUrl())).text();
        return performance.now() - startedAt > slowBy - 50;
      },
      revert: async () => {
        delayMs.primary = 0;
      },
    },
    symptom: async () => ({ signal: 'network.degraded' }),
    state: async () => ({ path: endpoint.currentPath() }),
    close: async () => {
      for (const { server } of [primary, replica]) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
}

const GREETING_APP = `
import { greet } from 'greeter';
import { createServer } from 'node:http';
createServer((_request, response) => response.end(greet())).listen(Number(process.env.PORT), '127.0.0.1');
`;

async function missingModuleWorld(): Promise<PlaybookWorld> {
  const app = await mkdtemp(join(tmpdir(), 'guardian-app-'));
  const greeter = join(app, 'node_modules/greeter');
  await mkdir(greeter, { recursive: true });
  const manifest = { name: 'greeter', type: 'module', exports: './index.js' };
  await writeFile(join(greeter, 'package.json'), JSON.stringify(manifest));
  await writeFile(join(greeter, 'index.js'), `export const greet = () => 'hello';\n`);
  await writeFile(join(app, 'package.json'), JSON.stringify({ dependencies: { greeter: '1' } }));
  await writeFile(join(app, 'app.mjs'), GREETING_APP);
  const modules = createInstalledModules({ folder: app, snapshot: join(app, '.snapshot') });
  await modules.takeSnapshot();
  const { service, number, pid, close } = await startHttpService(join(app, 'app.mjs'), app);
  const crashed = async () => (await service.probe(signal)).status === 'FAILED' && !(await pid());
  return {
    resources: [
      { id: 'api', adapter: service },
      { id: 'api-modules', adapter: modules },
    ].map((resource) =>
      resource.id === 'api' ? { ...resource, links: { modules: 'api-modules' } } : resource,
    ),
    subject: 'api',
    fault: {
      name: 'a package is deleted',
      apply: async () => {
        await rm(greeter, { recursive: true });
        const running = await pid();
        if (running !== undefined) process.kill(running, 'SIGKILL');
        await until(crashed);
        await service.start(signal); // a supervisor tries, and sees what is missing
        await until(crashed);
      },
      isPresent: async () => (await modules.broken(signal)).length > 0 && !(await answers(number)),
      revert: async () => undefined,
    },
    symptom: async () => {
      const reading = await service.probe(signal);
      const data = reading.status === 'FAILED' ? reading.data : undefined;
      const tail = data?.['stderr_tail'];
      return {
        signal: 'module.not_found',
        data: { stderr_tail: typeof tail === 'string' ? tail : "Cannot find package 'greeter'" },
      };
    },
    state: async () => ({
      broken: await modules.broken(signal),
      isRunning: (await pid()) !== undefined,
    }),
    close: async () => {
      await close();
      await rm(app, { recursive: true });
    },
  };
}

async function bypassWorld(): Promise<PlaybookWorld> {
  let isBypassed = false;
  const gate = createReceiptGate({
    guard: {
      decide: async ({ tool }) => (isBypassed || tool === 'crm.read' ? 'allow' : 'deny'),
      policyDigest: () => (isBypassed ? 'somebody-elses' : 'pinned'),
      reload: async () => {
        isBypassed = false;
      },
    },
    canaries: {
      deny: { id: 'deny-canary', tool: 'crm.drop', args: {} },
      allow: { id: 'allow-canary', tool: 'crm.read', args: {} },
    },
    pinnedDigest: 'pinned',
  });
  const { adapter } = gate;
  const drop = { id: '1', tool: 'crm.drop', args: {} };
  return {
    resources: [{ id: 'gate', adapter }],
    subject: 'gate',
    fault: {
      name: 'the guard allows all, and a tool is called around it',
      apply: async () => {
        isBypassed = true;
        gate.noteEffect(drop, undefined);
      },
      isPresent: async () =>
        gate.admit({ ...drop, id: '2' }).then(
          () => true,
          () => isBypassed,
        ),
      revert: async () => {
        isBypassed = false;
      },
    },
    symptom: async () => ({ signal: 'guardrail.bypassed' }),
    state: async () => ({
      isFrozen: await adapter.isFrozen(signal),
      isBypassed,
      quarantined: gate.quarantined.length,
    }),
    // Whatever else became of it: everything is denied.
    afterRollback: () => ({ isFrozen: true, isBypassed: false, quarantined: 1 }),
    close: async () => undefined,
  };
}

describePlaybook(guardrailBypassed, bypassWorld);
describePlaybook(serviceCrashed, crashWorld);
describePlaybook(portNotResponding, hangWorld);
describePlaybook(networkDegradation, slowPathWorld);
describePlaybook(moduleNotFound, missingModuleWorld);

describe('playbook module_not_found', () => {
  it('never installs what is not declared: somebody has to look', { timeout: 30_000 }, async () => {
    const world = await missingModuleWorld();
    await using guardian = createGuardian({}, { ...world, playbooks: [moduleNotFound] });
    await guardian.start();
    const { outcome } = await guardian.report({
      resource: 'api',
      signal: 'module.not_found',
      certainty: 'decisive',
      data: { stderr_tail: "Cannot find package 'left-pda' imported from /app.mjs" },
    });
    expect(await outcome).toBe('escalated');
    expect(guardian.openIncidents[0]?.reason).toContain('left-pda is not a declared package');
    await guardian.stop();
    await world.close();
  });
});
