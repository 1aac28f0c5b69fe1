import { badRequest, GraphRefusal } from './refusal.ts';

const OPERATIONS = [
  'me.get',
  'mail.send',
  'messages.list',
  'messages.search',
  'messages.count',
  'messages.get',
  'messages.create',
  'messages.update',
  'messages.delete',
  'messages.send',
  'messages.reply',
  'messages.replyAll',
  'messages.forward',
  'messages.createReply',
  'messages.createReplyAll',
  'messages.createForward',
  'messages.move',
  'messages.copy',
  'attachments.list',
  'folders.list',
  'folders.get',
  'batch',
] as const;
export type Operation = (typeof OPERATIONS)[number];

/** Where a request goes. */
export interface Route {
  readonly operation: Operation;
  /** Whose mailbox; `me`, an address, or an id. */
  readonly user: string;
  /** Of a message or folder. */
  readonly id: string;
  /** Of a list of messages: the folder to look in. */
  readonly folder: string | undefined;
}

type Methods = Readonly<Partial<Record<'GET' | 'POST' | 'PATCH' | 'DELETE', Operation>>>;

/** By the path behind the user, in lower case, with `*` for an id. */
const ROUTES: ReadonlyMap<string, Methods> = new Map([
  ['', { GET: 'me.get' }],
  ['sendmail', { POST: 'mail.send' }],
  ['messages', { GET: 'messages.list', POST: 'messages.create' }],
  ['messages/$count', { GET: 'messages.count' }],
  ['messages/*', { GET: 'messages.get', PATCH: 'messages.update', DELETE: 'messages.delete' }],
  ['messages/*/attachments', { GET: 'attachments.list' }],
  ['messages/*/send', { POST: 'messages.send' }],
  ['messages/*/reply', { POST: 'messages.reply' }],
  ['messages/*/replyall', { POST: 'messages.replyAll' }],
  ['messages/*/forward', { POST: 'messages.forward' }],
  ['messages/*/createreply', { POST: 'messages.createReply' }],
  ['messages/*/createreplyall', { POST: 'messages.createReplyAll' }],
  ['messages/*/createforward', { POST: 'messages.createForward' }],
  ['messages/*/move', { POST: 'messages.move' }],
  ['messages/*/copy', { POST: 'messages.copy' }],
  ['mailfolders', { GET: 'folders.list' }],
  ['mailfolders/*', { GET: 'folders.get' }],
  ['mailfolders/*/messages', { GET: 'messages.list' }],
] satisfies [string, Methods][]);

/** What Graph has at these places, and this mock has not: a 400 would say that Graph has not either. */
const NOT_BUILT = new Set(
  (
    'messages/delta messages/*/$value messages/*/attachments/* messages/*/extensions ' +
    'messages/*/multivalueextendedproperties messages/*/singlevalueextendedproperties ' +
    'mailfolders/$count mailfolders/delta mailfolders/*/childfolders mailfolders/*/messagerules mailfolders/*/move ' +
    'mailfolders/*/copy ' +
    'calendar calendars events contacts contactfolders inferenceclassification mailboxsettings outlook photo manager'
  ).split(' '),
);
/** Methods that Graph takes where this mock does not. */
const METHODS_NOT_BUILT = new Set([
  'POST messages/*/attachments',
  'POST mailfolders',
  'PATCH mailfolders/*',
  'DELETE mailfolders/*',
  'POST mailfolders/*/messages',
]);

/**
 * Finds the way: `/v1.0/me/...` or `/v1.0/users/{id}/...`, percent-encoded or not, with ids in brackets or between slashes.
 * @throws {GraphRefusal} When there is none.
 */
export function routeOf(method: string, path: string): Route {
  const [version = '', root = '', ...rest] = segmentsOf(path);
  if (version.toLowerCase() !== 'v1.0') throw badRequest(`Invalid version: ${version}.`);
  if (root === '$batch' && rest.length === 0) {
    if (method !== 'POST') throw methodNotAllowed(method);
    return { operation: 'batch', user: 'me', id: '', folder: undefined };
  }
  switch (root.toLowerCase()) {
    case 'me':
      return routeWithin('me', rest, method);
    case 'users': {
      const [user, ...below] = rest;
      if (user === undefined) throw notBuilt(root);
      return routeWithin(user, below, method);
    }
    default:
      throw noSuchSegment(root);
  }
}

function routeWithin(user: string, segments: readonly string[], method: string): Route {
  const [head = '', id = '', ...tail] = segments;
  const isCount = id.toLowerCase() === '$count' || id.toLowerCase() === 'delta';
  const middle = id === '' ? [] : [isCount ? id : '*'];
  const shape = [head, ...middle, ...tail]
    .filter((segment) => segment !== '')
    .join('/')
    .toLowerCase();
  const methods = ROUTES.get(shape);
  if (!methods) {
    throw isBuiltElsewhere(shape) ? notBuilt(shape) : noSuchSegment(segments.at(-1) ?? '');
  }
  const operation = isMethod(method) ? methods[method] : undefined;
  if (operation === undefined) {
    throw METHODS_NOT_BUILT.has(`${method} ${shape}`) ? notBuilt(shape) : methodNotAllowed(method);
  }
  return { operation, user, id, folder: shape === 'mailfolders/*/messages' ? id : undefined };
}

function isBuiltElsewhere(shape: string): boolean {
  return (
    NOT_BUILT.has(shape) ||
    NOT_BUILT.has(shape.replace(/\/[^/]+$/, '/*')) ||
    shape.startsWith('mailfolders/*/messages/')
  );
}

function isMethod(method: string): method is keyof Methods {
  return method === 'GET' || method === 'POST' || method === 'PATCH' || method === 'DELETE';
}

const IN_BRACKETS = /^([A-Za-z]+)\('(.*)'\)$/;
const NAMESPACE = /^microsoft\.graph\./i;

function segmentsOf(path: string): readonly string[] {
  const segments = path.split('/').slice(1);
  if (segments.at(-1) === '') segments.pop();
  return segments.flatMap((segment) => {
    const decoded = decodedSegment(segment);
    const [, collection, id] = IN_BRACKETS.exec(decoded) ?? [];
    if (collection !== undefined && id !== undefined) return [collection, id.replaceAll("''", "'")];
    return [decoded.replace(NAMESPACE, '')];
  });
}

function decodedSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    if (error instanceof URIError) throw badRequest('The request URI is not valid.');
    throw error;
  }
}

function noSuchSegment(segment: string): GraphRefusal {
  return badRequest(`Resource not found for the segment '${segment}'.`);
}

function methodNotAllowed(method: string): GraphRefusal {
  return new GraphRefusal(
    405,
    'MethodNotAllowed',
    `The HTTP method '${method}' is not supported for this request.`,
  );
}

function notBuilt(what: string): GraphRefusal {
  return new GraphRefusal(
    501,
    'NotImplemented',
    `'${what}' is not part of this mock of Graph mail.`,
  );
}
