import { NotFoundError, ValidationError } from '../errors.ts';
import type { Call } from '../exchange/exchange.ts';
import { validate } from '../exchange/validate.ts';
import { opaqueId } from '../sample-data/opaque-id.ts';
import type { MailMessage, MessageList } from './client.ts';
import { compileFilter, UnsupportedFilterError } from './filter.ts';
import { type ItemBody, OutgoingMessage, type Recipient } from './message-fields.ts';
import type { GraphMailMockOptions } from './options.ts';
import { MessageQuery, MessageSearch, Reply } from './queries.ts';
import { arrivalOf, SAMPLE_MESSAGES } from './sample-messages.ts';
import { compileSearch, UnsupportedSearchError } from './search.ts';

/** The well-known names of the folders that a message can be in. */
export type MailFolder = 'inbox' | 'sentitems' | 'deleteditems';

const BAD_REQUEST = { status: 400, providerCode: 'BadRequest' };

/** What is known of a message when it comes into being; the rest follows. */
type Draft = Pick<MailMessage, 'subject' | 'body' | 'from' | 'toRecipients' | 'isRead'> &
  Partial<MailMessage> & { key: readonly (string | number)[]; folder: MailFolder; at: number };

/**
 * A mailbox and the rules for changing it: no clock, no chance, no waiting. What it takes is unchecked, as it would be
 * off the wire. Messages are replaced, never changed, so what was handed out stays as it was.
 */
export class GraphMailEngine {
  readonly #options: GraphMailMockOptions;
  /** By the id that stays the same, in the order of arrival. */
  readonly #messages = new Map<string, MailMessage>();
  /** From the id that changes to the one that stays. */
  readonly #lasting = new Map<string, string>();

  /** @param at When the mailbox is looked at first, in ms since the epoch: the sample messages are dated back from it. */
  constructor(options: GraphMailMockOptions, at: number) {
    this.#options = options;
    this.reset(at);
  }

  reset(at: number): void {
    this.#messages.clear();
    this.#lasting.clear();
    for (const [index, sample] of SAMPLE_MESSAGES.entries()) {
      const { thread, hoursAgo: _dated, ...known } = sample;
      this.#add({
        ...known,
        key: ['sample message', index],
        folder: 'inbox',
        at: arrivalOf(sample, at),
        toRecipients: [this.#owner()],
        conversationId: this.#exchangeId('conversation', thread),
      });
    }
  }

  /** Newest first. */
  messages(folder?: MailFolder): readonly MailMessage[] {
    const all = [...this.#messages.values()].toReversed();
    if (folder === undefined) return all;
    const folderId = this.#folderId(folder);
    return all.filter(({ parentFolderId }) => parentFolderId === folderId);
  }

  send(input: unknown, call: Call): void {
    const message = validate(OutgoingMessage, input, call, {
      status: 400,
      providerCode: 'ErrorInvalidRecipients',
    });
    this.#addSent(message, call);
  }

  list(input: unknown, call: Call): MessageList {
    const { limit, skip, filter } = validate(MessageQuery, input, call, BAD_REQUEST);
    const fits = filter === undefined ? () => true : understood(() => compileFilter(filter), call);
    const found = this.messages().filter(fits);
    return { messages: found.slice(skip, skip + limit), hasMore: found.length > skip + limit };
  }

  search(input: unknown, call: Call): readonly MailMessage[] {
    const { query, limit } = validate(MessageSearch, input, call, BAD_REQUEST);
    const fits = understood(() => compileSearch(query), call);
    return this.messages().filter(fits).slice(0, limit);
  }

  read(messageId: string, call: Call): MailMessage {
    const message = this.#get(messageId, call);
    return message.isRead ? message : this.#change(message, { isRead: true }, call);
  }

  delete(messageId: string, call: Call): void {
    const message = this.#get(messageId, call);
    this.#lasting.delete(messageId);
    const deletedItems = this.#folderId('deleteditems');
    if (message.parentFolderId === deletedItems) {
      this.#messages.delete(message.internetMessageId);
      return;
    }
    const id = this.#exchangeId('message', message.internetMessageId, call.requestId);
    this.#change(message, { id, parentFolderId: deletedItems }, call);
  }

  reply(messageId: string, input: unknown, call: Call): void {
    const original = this.#get(messageId, call);
    const { comment } = validate(Reply, input, call, BAD_REQUEST);
    const { subject, conversationId, replyTo, from } = original;
    this.#addSent(
      {
        toRecipients: replyTo.length > 0 ? replyTo : [from],
        subject: /^re:/i.test(subject) ? subject : `RE: ${subject}`,
        body: { contentType: 'text', content: comment },
        conversationId,
      },
      call,
    );
  }

  #get(messageId: string, call: Call): MailMessage {
    if (!EXCHANGE_ID.test(messageId)) {
      throw new ValidationError(['Id is malformed.'], call, {
        status: 400,
        providerCode: 'ErrorInvalidIdMalformed',
      });
    }
    const message = this.#messages.get(this.#lasting.get(messageId) ?? '');
    if (message) return message;
    throw new NotFoundError('The specified object was not found in the store.', call, {
      providerCode: 'ErrorItemNotFound',
    });
  }

  #addSent(
    known: Pick<MailMessage, 'subject' | 'body' | 'toRecipients'> & Partial<MailMessage>,
    call: Call,
  ): void {
    this.#add({
      ...known,
      key: [call.operation, call.n],
      folder: 'sentitems',
      at: call.at,
      from: this.#owner(),
      isRead: true,
    });
  }

  #add({ key, folder, at, ...known }: Draft): void {
    const arrivedAt = new Date(at).toISOString();
    const internetMessageId = `<${opaqueId(24, this.#options.seed, 'msgraph', ...key)}@example.com>`;
    this.#store({
      id: this.#exchangeId('message', internetMessageId),
      changeKey: this.#changeKey(internetMessageId),
      internetMessageId,
      conversationId: this.#exchangeId('conversation', internetMessageId),
      parentFolderId: this.#folderId(folder),
      createdDateTime: arrivedAt,
      lastModifiedDateTime: arrivedAt,
      receivedDateTime: arrivedAt,
      sentDateTime: arrivedAt,
      bodyPreview: previewOf(known.body),
      importance: 'normal',
      isDraft: false,
      hasAttachments: false,
      sender: known.from,
      ccRecipients: [],
      bccRecipients: [],
      replyTo: [],
      internetMessageHeaders: [],
      ...known,
    });
  }

  #change(message: MailMessage, changes: Partial<MailMessage>, call: Call): MailMessage {
    return this.#store({
      ...message,
      ...changes,
      changeKey: this.#changeKey(message.internetMessageId, call.requestId),
      lastModifiedDateTime: new Date(call.at).toISOString(),
    });
  }

  #store(message: MailMessage): MailMessage {
    Object.freeze(message);
    this.#messages.set(message.internetMessageId, message); // a changed one keeps its place in the order
    this.#lasting.set(message.id, message.internetMessageId);
    return message;
  }

  #owner(): Recipient {
    const { mailbox, displayName } = this.#options;
    return { emailAddress: { name: displayName, address: mailbox } };
  }

  #folderId(folder: MailFolder): string {
    return this.#exchangeId('folder', folder);
  }

  #changeKey(...key: readonly string[]): string {
    return opaqueId(24, this.#options.seed, 'msgraph', 'change key', ...key);
  }

  #exchangeId(...key: readonly string[]): string {
    return `AAMk${opaqueId(60, this.#options.seed, 'msgraph', ...key)}=`;
  }
}

/** The shape of the ids above; anything else cannot be one. */
const EXCHANGE_ID = /^AAMk[\w-]+={0,2}$/;

const PREVIEW_LENGTH = 255;

function previewOf({ contentType, content }: ItemBody): string {
  const text = contentType === 'html' ? content.replaceAll(/<[^<>]*>/g, ' ') : content;
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, PREVIEW_LENGTH);
}

/** Turns what the query compilers refuse into the provider's 400. */
function understood<T>(compile: () => T, call: Call): T {
  try {
    return compile();
  } catch (error) {
    if (error instanceof UnsupportedFilterError || error instanceof UnsupportedSearchError) {
      throw new ValidationError([error.message], call, { ...BAD_REQUEST, cause: error });
    }
    throw error;
  }
}
