import type { PlaybookWorld } from '../playbook-contract.ts';
import { until } from './ground.ts';
import { answers, httpProgram, startHttpService } from './http-service.ts';

export async function openCrashWorld(): Promise<PlaybookWorld> {
  const { service, number, pid, close } = await startHttpService(httpProgram);
  return {
    resources: [{ id: 'api', adapter: service }],
    subject: 'api',
    fault: {
      name: 'SIGKILL',
      apply: async () => {
        const killed = await pid();
        if (killed === undefined) throw new Error('it does not run');
        process.kill(killed, 'SIGKILL');
        await until(async () => (await pid()) !== killed); // who watches may have started another by now
      },
      isPresent: async () => !(await answers(number)),
      revert: async () => undefined,
    },
    symptom: async () => ({ signal: 'process.exited' }),
    state: async () => ({ isRunning: (await pid()) !== undefined }),
    close,
  };
}
