import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInstalledModules } from '@buddy/guardian';
import type { PlaybookWorld } from '../playbook-contract.ts';
import { until } from './ground.ts';
import { answers, startHttpService } from './http-service.ts';

const { signal } = new AbortController();

const GREETING_APP = `
import { greet } from 'greeter';
import { createServer } from 'node:http';
createServer((_request, response) => response.end(greet())).listen(Number(process.env.PORT), '127.0.0.1');
`;

export async function openMissingModuleWorld(): Promise<PlaybookWorld> {
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
    isBrokenInSteps: true,
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
