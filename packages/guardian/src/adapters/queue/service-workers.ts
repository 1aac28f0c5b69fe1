import type { ServiceAdapter } from '../../resource/adapters/service.ts';
import type { QueueWorkers } from './sqlite-queue.ts';

/**
 * Workers that are services, one each.
 * @example
 * const workers = createServiceWorkers((number) => createProcessService({ id: `worker-${number}`, command: 'node', args: ['worker.js'], stateFolder }));
 */
export function createServiceWorkers(make: (number: number) => ServiceAdapter): QueueWorkers {
  const services: ServiceAdapter[] = [];
  let wanted = 0;
  return {
    count: () => wanted,
    set: async (count, signal) => {
      wanted = count;
      while (services.length < count) services.push(make(services.length + 1));
      for (const [index, service] of services.entries()) {
        await (index < count ? service.start(signal) : service.stop(signal));
      }
    },
  };
}
