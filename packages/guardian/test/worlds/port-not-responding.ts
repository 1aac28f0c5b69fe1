import type { ServiceAdapter } from '@buddy/guardian';
import type { PlaybookWorld } from '../playbook-contract.ts';
import { answers, httpProgram, startHttpService } from './http-service.ts';

export async function openHangWorld(): Promise<PlaybookWorld> {
  const { service, port, number, pid, close } = await startHttpService(httpProgram);
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
