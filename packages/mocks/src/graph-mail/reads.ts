import type { Json } from '../wire/message.ts';
import { type Outcome, plainNumber } from './answers.ts';
import { type CompiledFilter, compileFilter, type Filterable } from './filter/filter.ts';
import { UnsupportedFilterError } from './filter/syntax.ts';
import { folderIdOf, type FolderView, foldersOf } from './folders.ts';
import type { Mailbox, MailboxView } from './mailbox.ts';
import { attachmentJson, messageJson, SELECTABLE } from './message-json.ts';
import { FILTERABLE_MESSAGE, SORT_KEYS } from './message-properties.ts';
import {
  expandsAttachments,
  type Query,
  queryOf,
  searchTextOf,
  selectOf,
  sortingOf,
} from './odata-query.ts';
import type { Owner } from './owner.ts';
import { contextUrl, page, selected, selectionText } from './paging.ts';
import { badRequest } from './refusal.ts';
import type { RequestContext } from './request-context.ts';
import type { Route } from './routes.ts';
import { compileSearch, UnsupportedSearchError } from './search.ts';
import type { StoredMessage } from './stored-message.ts';

/** What a read looks at, and for whom. */
export interface Reading {
  readonly mailbox: Mailbox;
  readonly view: MailboxView;
  readonly owner: Owner;
  readonly context: RequestContext;
  readonly route: Route;
}

const DEFAULT_PAGE = 10;
const DEFAULT_SEARCH_PAGE = 25;
/** However many match a search, no more are given. */
const MOST_FOUND = 1_000;

export function listMessages(reading: Reading): Outcome {
  const { context, mailbox, view, route } = reading;
  const query = queryOf(context.request, [
    '$top',
    '$skip',
    '$skiptoken',
    '$filter',
    '$search',
    '$select',
    '$orderby',
    '$count',
    '$expand',
  ]);
  const select = selectOf(query, SELECTABLE, 'microsoft.graph.message');
  const selection = { select, expandsAttachments: expandsAttachments(query) };
  const folderId = route.folder === undefined ? undefined : folderIdOf(route.folder, mailbox);
  const search = searchTextOf(query);
  const isSearch = search !== undefined;
  const all = view.messages(folderId);
  const found = isSearch ? searched(all, search, query) : filtered(all, query);
  const parent = folderId === undefined ? '' : `/mailFolders('${encodeURIComponent(folderId)}')`;
  return {
    status: 200,
    body: page(found, query, {
      context,
      entitySet: `${context.user}${parent}/messages${selectionText(select)}`,
      defaultPage: isSearch ? DEFAULT_SEARCH_PAGE : DEFAULT_PAGE,
      cursor: isSearch ? '$skiptoken' : '$skip',
      write: (message: StoredMessage) => messageJson(message, context, selection),
    }),
  };
}

export function countMessages({ context, view }: Reading): Outcome {
  const query = queryOf(context.request, ['$filter', '$search']);
  const search = searchTextOf(query);
  const all = view.messages();
  const found = search === undefined ? filtered(all, query) : searched(all, search, query);
  return plainNumber(found.length);
}

export function getMessage({ context, view, route }: Reading): Outcome {
  const query = queryOf(context.request, ['$select', '$expand']);
  const select = selectOf(query, SELECTABLE, 'microsoft.graph.message');
  const selection = { select, expandsAttachments: expandsAttachments(query) };
  return { status: 200, body: messageEntity(view.get(route.id), context, selection) };
}

/** A message that stands alone in an answer. */
export function messageEntity(
  message: StoredMessage,
  context: RequestContext,
  selection: { select?: readonly string[] | undefined; expandsAttachments?: boolean } = {},
): Json {
  const entitySet = `${context.user}/messages${selectionText(selection.select)}/$entity`;
  return {
    '@odata.context': contextUrl(context, entitySet),
    ...messageJson(message, context, selection),
  };
}

const SELECTABLE_ATTACHMENT = new Set([
  'id',
  'lastModifiedDateTime',
  'name',
  'contentType',
  'size',
  'isInline',
]);

export function listAttachments({ context, view, route }: Reading): Outcome {
  const message = view.get(route.id);
  const query = queryOf(context.request, ['$top', '$skip', '$select', '$count']);
  const select = selectOf(query, SELECTABLE_ATTACHMENT, 'microsoft.graph.attachment');
  const id = encodeURIComponent(route.id);
  return {
    status: 200,
    body: page(message.attachments, query, {
      context,
      entitySet: `${context.user}/messages('${id}')/attachments${selectionText(select)}`,
      defaultPage: DEFAULT_PAGE,
      cursor: '$skip',
      write: (attachment) => selected(attachmentJson(attachment), select, 'id'),
    }),
  };
}

const FOLDER_PROPERTIES = new Set([
  'id',
  'displayName',
  'parentFolderId',
  'childFolderCount',
  'unreadItemCount',
  'totalItemCount',
  'isHidden',
]);

export function listFolders({ context, mailbox, view }: Reading): Outcome {
  const query = queryOf(context.request, ['$top', '$skip', '$filter', '$select', '$count']);
  const select = selectOf(query, FOLDER_PROPERTIES, 'microsoft.graph.mailFolder');
  const { test } = filterOf(query, FILTERABLE_FOLDER);
  const folders = foldersOf(mailbox, view).filter(({ isRoot }) => !isRoot);
  return {
    status: 200,
    body: page(folders.filter(test), query, {
      context,
      entitySet: `${context.user}/mailFolders${selectionText(select)}`,
      defaultPage: DEFAULT_PAGE,
      cursor: '$skip',
      write: (folder) => selected(folderJson(folder), select, 'id'),
    }),
  };
}

export function getFolder({ context, mailbox, view, route }: Reading): Outcome {
  const query = queryOf(context.request, ['$select']);
  const select = selectOf(query, FOLDER_PROPERTIES, 'microsoft.graph.mailFolder');
  const id = folderIdOf(route.id, mailbox);
  const folder = foldersOf(mailbox, view).find((one) => one.id === id);
  const entitySet = `${context.user}/mailFolders${selectionText(select)}/$entity`;
  return {
    status: 200,
    body: {
      '@odata.context': contextUrl(context, entitySet),
      ...(folder && selected(folderJson(folder), select, 'id')),
    },
  };
}

export function getUser({ context, owner }: Reading): Outcome {
  const query = queryOf(context.request, ['$select']);
  const user = owner.json();
  const select = selectOf(query, new Set(Object.keys(user)), 'microsoft.graph.user');
  return {
    status: 200,
    body: {
      '@odata.context': contextUrl(context, `users${selectionText(select)}/$entity`),
      ...selected(user, select),
    },
  };
}

const FILTERABLE_FOLDER: Filterable<FolderView> = {
  properties: new Map([
    ['displayName', { kind: 'text', of: ({ displayName }: FolderView) => displayName }],
    ['parentFolderId', { kind: 'id', of: ({ parentFolderId }: FolderView) => parentFolderId }],
    [
      'unreadItemCount',
      { kind: 'number', of: ({ unreadItemCount }: FolderView) => unreadItemCount },
    ],
    ['totalItemCount', { kind: 'number', of: ({ totalItemCount }: FolderView) => totalItemCount }],
    [
      'childFolderCount',
      { kind: 'number', of: ({ childFolderCount }: FolderView) => childFolderCount },
    ],
  ]),
  collections: new Map(),
};

function folderJson({ isRoot: _isRoot, ...folder }: FolderView): Readonly<Record<string, Json>> {
  return { ...folder, isHidden: false };
}

function searched(
  messages: readonly StoredMessage[],
  search: string,
  query: Query,
): readonly StoredMessage[] {
  refuseBeside(query, '$orderby', 'SearchWithOrderBy', '$orderBy');
  refuseBeside(query, '$filter', 'SearchWithFilter', '$filter');
  refuseBeside(query, '$skip', 'SearchWithSkip', '$skip');
  const fits = understood(() => compileSearch(search));
  return messages
    .filter(fits)
    .toSorted((a, b) => b.sentAt - a.sentAt || b.arrival - a.arrival)
    .slice(0, MOST_FOUND);
}

function refuseBeside(
  query: Query,
  option: '$orderby' | '$filter' | '$skip',
  code: string,
  spelt: string,
): void {
  if (!query.has(option)) return;
  throw badRequest(`The query parameter '${spelt}' is not supported with '$search'.`, code);
}

function filtered(messages: readonly StoredMessage[], query: Query): readonly StoredMessage[] {
  if (query.has('$skiptoken')) {
    throw badRequest("The query parameter '$skiptoken' is not supported without '$search'.");
  }
  const filter = filterOf(query, FILTERABLE_MESSAGE);
  const sorting = sortingOf(query, SORT_KEYS);
  if (sorting && query.has('$filter')) requireEfficient(sorting.paths, filter.properties);
  const found = messages.filter(filter.test);
  return sorting ? found.toSorted(sorting.compare) : found;
}

/** What is sorted by must be filtered by too, in the same order and before anything else. */
function requireEfficient(sortedBy: readonly string[], filteredBy: readonly string[]): void {
  if (sortedBy.every((path, at) => filteredBy[at] === path)) return;
  throw badRequest(
    'The restriction or sort order is too complex for this operation.',
    'InefficientFilter',
  );
}

function filterOf<Item>(query: Query, filterable: Filterable<Item>): CompiledFilter<Item> {
  const filter = query.get('$filter');
  if (filter === undefined) return { test: () => true, properties: [] };
  return understood(() => compileFilter(filter, filterable));
}

/** Turns what the compilers refuse into the provider's 400. */
function understood<T>(compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    if (error instanceof UnsupportedFilterError || error instanceof UnsupportedSearchError) {
      throw badRequest(error.message);
    }
    throw error;
  }
}
