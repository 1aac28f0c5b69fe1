import type { CallOptions, ConnectionTest } from '../exchange/call-options.ts';
import type {
  Importance,
  InternetMessageHeader,
  ItemBody,
  OutgoingMessage,
  Recipient,
} from './message-fields.ts';

/** A message in the mailbox. Times are ISO 8601. */
export interface MailMessage {
  /** Changes when the message moves to another folder. */
  readonly id: string;
  /** Changes with every write. */
  readonly changeKey: string;
  /** Stays the same wherever the message goes. */
  readonly internetMessageId: string;
  readonly conversationId: string;
  readonly parentFolderId: string;
  readonly createdDateTime: string;
  readonly lastModifiedDateTime: string;
  readonly receivedDateTime: string;
  readonly sentDateTime: string;
  readonly subject: string;
  readonly body: ItemBody;
  /** The first 255 characters of the body, as text. */
  readonly bodyPreview: string;
  readonly importance: Importance;
  readonly isRead: boolean;
  readonly isDraft: boolean;
  readonly hasAttachments: boolean;
  readonly from: Recipient;
  readonly sender: Recipient;
  readonly toRecipients: readonly Recipient[];
  readonly ccRecipients: readonly Recipient[];
  readonly bccRecipients: readonly Recipient[];
  readonly replyTo: readonly Recipient[];
  readonly internetMessageHeaders: readonly InternetMessageHeader[];
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
   * `limit` is 1 to 1000, 10 by default; `filter` is OData: `isRead eq false and subject eq 'Hello'`. Understood are
   * `isRead eq`, `subject eq`, `from/emailAddress/address eq`, `receivedDateTime ge`, joined by `and`.
   * @throws {ValidationError} For anything else in the filter.
   */
  getMessages(
    query?: {
      limit?: number | undefined;
      skip?: number | undefined;
      filter?: string | undefined;
    },
    options?: CallOptions,
  ): Promise<MessageList>;
  /** Fetches a message and marks it read. @throws {NotFoundError} {ValidationError} For an id that is none. */
  readMessage(messageId: string, options?: CallOptions): Promise<MailMessage>;
  /**
   * The messages that hold every word of `query` in sender, subject or body, latest sent first; `subject:`, `from:`,
   * `to:` and `body:` narrow a word, quotes join several. `limit` is 1 to 1000, 25 by default.
   * @throws {ValidationError} For an empty query or operators that are not supported.
   */
  searchMessages(
    query: string,
    page?: { limit?: number | undefined },
    options?: CallOptions,
  ): Promise<readonly MailMessage[]>;
  /** Moves a message to Deleted Items, where it has another id; from there, removes it. @throws {NotFoundError} */
  deleteMessage(messageId: string, options?: CallOptions): Promise<void>;
  /** Answers the sender, in the same conversation; a copy goes to Sent Items. @throws {NotFoundError} */
  replyToMessage(messageId: string, comment: string, options?: CallOptions): Promise<void>;
  testConnection(options?: CallOptions): Promise<ConnectionTest>;
}
