import type { WireRequest } from '../wire/message.ts';
import type { OperationTraits } from '../wire/provider.ts';

export type Operation =
  | 'session.create'
  | 'session.get'
  | 'session.delete'
  | 'contacts.search'
  | 'contacts.extract';

export const OPERATIONS: Readonly<Record<Operation, OperationTraits>> = {
  // A session more or less is no harm, so a lost answer leaves nothing to find out.
  'session.create': { isWrite: false, latency: { medianMs: 300, sigma: 0.4 } },
  'session.get': { isWrite: false, latency: { medianMs: 120, sigma: 0.35 } },
  'session.delete': { isWrite: false, latency: { medianMs: 120, sigma: 0.35 } },
  'contacts.search': { isWrite: false, latency: { medianMs: 400, sigma: 0.5 } },
  'contacts.extract': { isWrite: false, latency: { medianMs: 350, sigma: 0.5 } },
};

const ROUTES: Readonly<Record<string, Operation>> = {
  'POST /v1/session': 'session.create',
  'GET /v1/session': 'session.get',
  'DELETE /v1/session': 'session.delete',
  'POST /v1/contacts/search': 'contacts.search',
  'POST /v1/contacts/extract': 'contacts.extract',
};

/** What a request asks for; undefined when there is no such route. */
export function operationOf({ method, path }: WireRequest): Operation | undefined {
  const route = `${method} ${path}`;
  return Object.hasOwn(ROUTES, route) ? ROUTES[route] : undefined;
}
