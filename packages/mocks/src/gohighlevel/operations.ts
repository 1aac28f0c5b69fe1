import type { Scope } from './access.ts';
import type { OperationTraits } from '../wire/provider.ts';
import type { WireRequest } from '../wire/message.ts';

export type Operation =
  | 'contacts.create'
  | 'contacts.upsert'
  | 'contacts.get'
  | 'contacts.update'
  | 'contacts.delete'
  | 'contacts.search'
  | 'contacts.duplicate'
  | 'contacts.list'
  | 'contacts.tags.add'
  | 'contacts.tags.remove'
  | 'location.get'
  | 'token.create'
  | 'health.get';

export const OPERATIONS: Readonly<Record<Operation, OperationTraits>> = {
  'contacts.create': { isWrite: true, latency: { medianMs: 260, sigma: 0.4 } },
  'contacts.upsert': { isWrite: true, latency: { medianMs: 280, sigma: 0.4 } },
  'contacts.get': { isWrite: false, latency: { medianMs: 130, sigma: 0.35 } },
  'contacts.update': { isWrite: true, latency: { medianMs: 240, sigma: 0.4 } },
  'contacts.delete': { isWrite: true, latency: { medianMs: 200, sigma: 0.4 } },
  'contacts.search': { isWrite: false, latency: { medianMs: 220, sigma: 0.4 } },
  'contacts.duplicate': { isWrite: false, latency: { medianMs: 180, sigma: 0.4 } },
  'contacts.list': { isWrite: false, latency: { medianMs: 220, sigma: 0.4 } },
  'contacts.tags.add': { isWrite: true, latency: { medianMs: 200, sigma: 0.4 } },
  'contacts.tags.remove': { isWrite: true, latency: { medianMs: 200, sigma: 0.4 } },
  'location.get': { isWrite: false, latency: { medianMs: 120, sigma: 0.35 } },
  // A token more or less is no harm to anybody else; one that is lost is asked for again.
  'token.create': { isWrite: false, latency: { medianMs: 200, sigma: 0.4 } },
  'health.get': { isWrite: false, latency: { medianMs: 120, sigma: 0.35 } },
};

/** What is done at a location; the others need no right to one. */
export type OperationOfLocation = Exclude<Operation, 'token.create' | 'health.get'>;

export const SCOPE_OF: Readonly<Record<OperationOfLocation, Scope>> = {
  'contacts.create': 'contacts.write',
  'contacts.upsert': 'contacts.write',
  'contacts.get': 'contacts.readonly',
  'contacts.update': 'contacts.write',
  'contacts.delete': 'contacts.write',
  'contacts.search': 'contacts.readonly',
  'contacts.duplicate': 'contacts.readonly',
  'contacts.list': 'contacts.readonly',
  'contacts.tags.add': 'contacts.write',
  'contacts.tags.remove': 'contacts.write',
  'location.get': 'locations.readonly',
};

export interface Route {
  readonly operation: Operation;
  /** Of the contact or the location that the path names. */
  readonly id?: string;
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

const FIXED: Readonly<Record<string, Partial<Record<Method, Operation>>>> = {
  '/contacts': { POST: 'contacts.create', GET: 'contacts.list' },
  '/contacts/upsert': { POST: 'contacts.upsert' },
  '/contacts/search': { POST: 'contacts.search' },
  '/contacts/search/duplicate': { GET: 'contacts.duplicate' },
  '/oauth/token': { POST: 'token.create' },
  '/health': { GET: 'health.get' },
};

const BY_ID: readonly {
  readonly path: RegExp;
  readonly operations: Partial<Record<Method, Operation>>;
}[] = [
  {
    path: /^\/contacts\/([^/]+)$/,
    operations: { GET: 'contacts.get', PUT: 'contacts.update', DELETE: 'contacts.delete' },
  },
  {
    path: /^\/contacts\/([^/]+)\/tags$/,
    operations: { POST: 'contacts.tags.add', DELETE: 'contacts.tags.remove' },
  },
  { path: /^\/locations\/([^/]+)$/, operations: { GET: 'location.get' } },
];

/** What a request asks for; undefined when there is no such route. A slash at the end makes no difference. */
export function routeOf({ method, path }: WireRequest): Route | undefined {
  const trimmed = path.endsWith('/') ? path.slice(0, -1) : path;
  if (!isMethod(method)) return undefined;
  const fixed = Object.hasOwn(FIXED, trimmed) ? FIXED[trimmed]?.[method] : undefined;
  if (fixed) return { operation: fixed };
  for (const { path: pattern, operations } of BY_ID) {
    const encoded = pattern.exec(trimmed)?.[1];
    const operation = operations[method];
    if (encoded === undefined || !operation) continue;
    const id = decoded(encoded);
    return id === undefined ? undefined : { operation, id };
  }
  return undefined;
}

function isMethod(method: string): method is Method {
  return method === 'GET' || method === 'POST' || method === 'PUT' || method === 'DELETE';
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined; // a stray %
  }
}
