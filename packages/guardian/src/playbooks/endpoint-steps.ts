import { irreversible } from '../playbook/step.ts';
import type { EndpointAdapter } from '../resource/adapters/network.ts';

/** What is done to an endpoint in any playbook whose role `endpoint` is one. */
type Act = (context: {
  readonly resources: { readonly endpoint: EndpointAdapter };
  readonly signal: AbortSignal;
}) => Promise<void>;

const reset: Act = ({ resources, signal }) => resources.endpoint.resetConnections(signal);

/** Closes the connections that were kept, for they may be dead. A playbook spreads it into a step that it names. */
export const resetConnections = {
  tier: 2,
  timeoutMs: 1_000,
  effects: ['endpoint.resetConnections'],
  run: reset,
  undo: irreversible('a connection that was closed is opened anew by the next request'),
} as const;
