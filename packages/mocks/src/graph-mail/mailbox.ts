import { parseOrThrow } from '@buddy/core';
import { z } from 'zod';
import { opaqueId } from '../sample-data/opaque-id.ts';
import type { Json } from '../wire/message.ts';
import { badRequest, itemNotFound } from './refusal.ts';
import { StoredMessage } from './stored-message.ts';

/** The well-known names of the folders, each with what people call it. */
export const FOLDERS = {
  archive: 'Archive',
  deleteditems: 'Deleted Items',
  drafts: 'Drafts',
  inbox: 'Inbox',
  junkemail: 'Junk Email',
  outbox: 'Outbox',
  sentitems: 'Sent Items',
} as const;
export type MailFolder = keyof typeof FOLDERS;

/** Those that hold messages, and the two that hold folders. */
export type AnyFolder = MailFolder | 'msgfolderroot' | 'root';

export const FOLDER_NAMES: readonly MailFolder[] = [
  'archive',
  'deleteditems',
  'drafts',
  'inbox',
  'junkemail',
  'outbox',
  'sentitems',
];

/** What can be read at one moment. Messages are replaced, never changed, so what was handed out stays as it was. */
export interface MailboxView {
  /** Newest first. */
  messages(folderId?: string): readonly StoredMessage[];
  /** Finds by either id. @throws {GraphRefusal} 400 for what is no id, 404 for one that nobody has. */
  get(messageId: string): StoredMessage;
}

/** A message that comes or changes, or one that goes. */
export type Change =
  | { readonly kind: 'put'; readonly message: StoredMessage }
  | { readonly kind: 'remove'; readonly immutableId: string };

const Snapshot = z.strictObject({
  provider: z.literal('msgraph'),
  arrivals: z.int().nonnegative(),
  messages: z.array(StoredMessage),
  /** What the latest write replaced; without a message, it added one. */
  before: z.array(z.strictObject({ immutableId: z.string(), message: StoredMessage.optional() })),
});

/** The state of one mailbox: messages by id, and how they come and go. It knows nothing of the wire. */
export class Mailbox {
  readonly #seed: number | string;
  readonly #messages = new Map<string, StoredMessage>(); // by immutable id
  readonly #immutableIds = new Map<string, string>(); // by the id that changes
  /** What the latest write replaced, so that a stale read can leave that write out. */
  readonly #before = new Map<string, StoredMessage | undefined>();
  readonly #folderIds = new Map<AnyFolder, string>();
  #arrivals = 0;

  constructor(seed: number | string) {
    this.#seed = seed;
  }

  /** @param isStale Whether to leave out the latest write, as a replica that lags would. */
  view(isStale = false): MailboxView {
    if (!isStale) return viewOf(this.#messages, this.#immutableIds);
    const messages = new Map(this.#messages);
    for (const [immutableId, message] of this.#before) {
      if (message) messages.set(immutableId, message);
      else messages.delete(immutableId);
    }
    return viewOf(messages, new Map([...messages].map(([key, { id }]) => [id, key])));
  }

  /** Applies the changes, all at once. */
  write(...changes: readonly Change[]): void {
    this.#before.clear();
    for (const change of changes) {
      const immutableId = change.kind === 'put' ? change.message.immutableId : change.immutableId;
      const before = this.#messages.get(immutableId);
      this.#before.set(immutableId, before);
      if (before) this.#immutableIds.delete(before.id);
      if (change.kind === 'put') this.#put(change.message);
      else this.#messages.delete(immutableId);
    }
  }

  /** Lets every replica catch up: no read leaves out what is there now. */
  settle(): void {
    this.#before.clear();
  }

  /** What a message that arrives now is to have as `arrival`. */
  nextArrival(): number {
    return this.#arrivals + 1;
  }

  /** An id that no message has, fixed by seed and key as long as it is the first to ask for it. */
  newId(kind: 'message' | 'immutable', ...key: readonly string[]): string {
    const prefix = kind === 'message' ? 'AAMk' : 'AAkA';
    for (let attempt = 0; ; attempt += 1) {
      const again = attempt === 0 ? [] : [attempt];
      const id = `${prefix}${opaqueId(60, this.#seed, 'msgraph', kind, ...key, ...again)}=`;
      if (!this.#immutableIds.has(id) && !this.#messages.has(id)) return id;
    }
  }

  folderId(folder: AnyFolder): string {
    const known = this.#folderIds.get(folder);
    if (known !== undefined) return known;
    const id = `AQMk${opaqueId(60, this.#seed, 'msgraph', 'folder', folder)}=`;
    this.#folderIds.set(folder, id);
    return id;
  }

  conversationId(...key: readonly string[]): string {
    return `AAQk${opaqueId(48, this.#seed, 'msgraph', 'conversation', ...key)}=`;
  }

  changeKey(...key: readonly string[]): string {
    return `CQAA${opaqueId(20, this.#seed, 'msgraph', 'change key', ...key)}`;
  }

  internetMessageId(...key: readonly string[]): string {
    return `<${opaqueId(24, this.#seed, 'msgraph', 'internet message', ...key)}@example.com>`;
  }

  snapshot(): Json {
    const messages: Json[] = [...this.#messages.values()];
    const before: Json[] = [...this.#before].map(([immutableId, message]) => ({
      immutableId,
      ...(message && { message }),
    }));
    return { provider: 'msgraph', arrivals: this.#arrivals, messages, before };
  }

  /** @throws {InvalidInputError} */
  restore(snapshot: unknown): void {
    const known = parseOrThrow(Snapshot, snapshot, 'snapshot of a Graph mailbox');
    const { arrivals, messages, before } = known;
    this.clear();
    this.#arrivals = arrivals;
    for (const message of messages) this.#put(message);
    for (const { immutableId, message } of before) this.#before.set(immutableId, message);
  }

  clear(): void {
    this.#messages.clear();
    this.#immutableIds.clear();
    this.#before.clear();
    this.#arrivals = 0;
  }

  #put(message: StoredMessage): void {
    this.#messages.set(message.immutableId, Object.freeze(message));
    this.#immutableIds.set(message.id, message.immutableId);
    this.#arrivals = Math.max(this.#arrivals, message.arrival);
  }
}

/** The shape of Exchange's ids; anything else cannot be one. */
const EXCHANGE_ID = /^AA[Mk][A-Za-z][\w-]{8,200}={0,2}$/;

function viewOf(
  messages: ReadonlyMap<string, StoredMessage>,
  immutableIds: ReadonlyMap<string, string>,
): MailboxView {
  return {
    messages: (folderId) => {
      const all = [...messages.values()].toReversed(); // nearly in order already
      const inside =
        folderId === undefined ? all : all.filter((message) => message.folderId === folderId);
      return inside.toSorted((a, b) => b.receivedAt - a.receivedAt || b.arrival - a.arrival);
    },
    get: (messageId) => {
      const message = messages.get(immutableIds.get(messageId) ?? messageId);
      if (message) return message;
      if (!EXCHANGE_ID.test(messageId))
        throw badRequest('Id is malformed.', 'ErrorInvalidIdMalformed');
      throw itemNotFound();
    },
  };
}
