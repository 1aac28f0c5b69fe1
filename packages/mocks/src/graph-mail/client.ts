import type { CallOptions, ConnectionTest } from '../exchange/call-options.ts';
import type { MailAttachment, MailFolderInfo, MailMessage } from './mail-message.ts';
import type { OutgoingMessage } from './message-fields.ts';

/** What is known of a message that was sent by way of a draft. */
export interface SentMessage {
  /** Immutable: it finds the message wherever it goes. */
  readonly id: string;
  readonly internetMessageId: string;
  readonly conversationId: string;
}

/** Which messages, in which order. */
export interface MessageQuery {
  /** 1 to 1000, 10 by default. */
  limit?: number | undefined;
  skip?: number | undefined;
  /** OData: `isRead eq false and contains(subject, 'renewal')`. */
  filter?: string | undefined;
  /** OData: `receivedDateTime desc`. With a filter, what is sorted by must come first in it. */
  orderBy?: string | undefined;
  /** An id or a well-known name: `inbox`. */
  folder?: string | undefined;
}

/** What may be changed of a message; all but the last three of a draft only. */
export type MessageUpdate = Partial<OutgoingMessage> & {
  isRead?: boolean | undefined;
  categories?: readonly string[] | undefined;
};

/** A request in a batch. */
export interface BatchStep {
  /** Unique in its batch. */
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the version: `/me/messages`. */
  readonly url: string;
  /** The ids of the steps that must have succeeded before. */
  readonly dependsOn?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface BatchStepAnswer {
  readonly id: string;
  /** 424 when a step that it depends on has failed. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface MessageList {
  /** Newest first, of all folders, Sent Items and Deleted Items included. */
  messages: readonly MailMessage[];
  /** Whether there are more behind these. */
  hasMore: boolean;
}

export interface GraphMailClient {
  /**
   * Sends a message; a copy goes to Sent Items. The provider answers with nothing, not even an id: find the message by
   * `getMessages` or `searchMessages`.
   * @throws {ValidationError} For a bad recipient or header; nothing was sent.
   */
  sendEmail(message: OutgoingMessage, options?: CallOptions): Promise<void>;
  /**
   * Sends a message by way of a draft, so that it has an id, the same for ever. When the answer to the sending is lost, it
   * looks whether the draft has gone; so a failure's `effect` is `unknown` only when it could not even look.
   * @throws {ValidationError} As `sendEmail`; the draft stays in Drafts.
   */
  sendEmailAsDraft(message: OutgoingMessage, options?: CallOptions): Promise<SentMessage>;
  /**
   * The messages of all folders, Sent Items and Deleted Items included, or of one; newest first.
   * @throws {ValidationError} For a filter or order that the provider does not take.
   */
  getMessages(query?: MessageQuery, options?: CallOptions): Promise<MessageList>;
  /** How many messages there are, of those that fit the filter. @throws {ValidationError} */
  countMessages(filter?: string, options?: CallOptions): Promise<number>;
  /** Fetches a message and leaves it unread. @throws {NotFoundError} {ValidationError} For an id that is none. */
  getMessage(messageId: string, options?: CallOptions): Promise<MailMessage>;
  /** Fetches a message and marks it read. @throws {NotFoundError} {ValidationError} For an id that is none. */
  readMessage(messageId: string, options?: CallOptions): Promise<MailMessage>;
  /**
   * The messages that hold every word of `query` in sender, subject or body, latest sent first; `subject:`, `from:`,
   * `to:` and `body:` narrow a word, quotes join several, `-` or `NOT` excludes. `limit` is 1 to 1000, 25 by default.
   * @throws {ValidationError} For an empty query or operators that are not supported.
   */
  searchMessages(
    query: string,
    page?: { limit?: number | undefined },
    options?: CallOptions,
  ): Promise<readonly MailMessage[]>;
  /** Moves a message to Deleted Items, where it has another id; from there, removes it. @throws {NotFoundError} */
  deleteMessage(messageId: string, options?: CallOptions): Promise<void>;
  /**
   * Changes what may be changed: of a sent message whether it is read, its importance and categories.
   * @throws {ConflictError} When `ifChangeKey` is given and the message has another by now. {NotFoundError} {ValidationError}
   */
  updateMessage(
    messageId: string,
    changes: MessageUpdate,
    options?: CallOptions & { ifChangeKey?: string | undefined },
  ): Promise<MailMessage>;
  /** @param folder An id or a well-known name: `archive`. @returns The message under its new id. @throws {NotFoundError} */
  moveMessage(messageId: string, folder: string, options?: CallOptions): Promise<MailMessage>;
  /** @returns The copy. @throws {NotFoundError} */
  copyMessage(messageId: string, folder: string, options?: CallOptions): Promise<MailMessage>;
  createDraft(message: Partial<OutgoingMessage>, options?: CallOptions): Promise<MailMessage>;
  /** A reply as a draft, quoting the message. @throws {NotFoundError} */
  createReplyDraft(messageId: string, comment: string, options?: CallOptions): Promise<MailMessage>;
  /** Sends a draft, which then is in Sent Items under another id. @throws {NotFoundError} {ValidationError} */
  sendDraft(messageId: string, options?: CallOptions): Promise<void>;
  /** Answers the sender, in the same conversation; a copy goes to Sent Items. @throws {NotFoundError} */
  replyToMessage(messageId: string, comment: string, options?: CallOptions): Promise<void>;
  /** As `replyToMessage`, and to all who got it. @throws {NotFoundError} */
  replyToAll(messageId: string, comment: string, options?: CallOptions): Promise<void>;
  /** Passes a message on, in the same conversation. @throws {NotFoundError} {ValidationError} For a bad recipient. */
  forwardMessage(
    messageId: string,
    toRecipients: OutgoingMessage['toRecipients'],
    comment: string,
    options?: CallOptions,
  ): Promise<void>;
  listAttachments(messageId: string, options?: CallOptions): Promise<readonly MailAttachment[]>;
  listFolders(options?: CallOptions): Promise<readonly MailFolderInfo[]>;
  /** @param folder An id or a well-known name: `sentitems`. @throws {NotFoundError} */
  getFolder(folder: string, options?: CallOptions): Promise<MailFolderInfo>;
  /**
   * Sends up to 20 requests in one; a step that fails is told by its status. What was answered is handed on unchecked.
   * @throws {ValidationError} When the batch as a whole is not accepted; nothing was done.
   */
  batch(steps: readonly BatchStep[], options?: CallOptions): Promise<readonly BatchStepAnswer[]>;
  testConnection(options?: CallOptions): Promise<ConnectionTest>;
}
