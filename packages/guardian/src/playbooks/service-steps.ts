import type { ServiceAdapter } from '../resource/adapters/service.ts';

/** What these steps use of any playbook whose role `service` is a service. */
interface ServiceContext {
  readonly resources: { readonly service: ServiceAdapter };
  readonly signal: AbortSignal;
}

const start = ({ resources, signal }: ServiceContext) => resources.service.start(signal);
const stop = ({ resources, signal }: ServiceContext) => resources.service.stop(signal);

/** Starts a service; taken back by stopping it. Spread it to say something else of it. */
export const startService = {
  id: 'start',
  description: 'Starts the service.',
  tier: 3,
  timeoutMs: 10_000,
  effects: ['service.start'],
  run: start,
  undo: { description: 'Stops what was started.', effects: ['service.stop'], run: stop },
} as const;

/** Ends a service with all its children; taken back by starting it, for what was ended is not revived. */
export const endService = {
  id: 'end',
  description: 'Ends the service with all its children, by force when it does not end by itself.',
  tier: 3,
  timeoutMs: 15_000,
  effects: ['service.stop'],
  run: stop,
  undo: {
    description: 'Starts the service again: what was ended is not revived.',
    effects: ['service.start'],
    run: start,
  },
} as const;
