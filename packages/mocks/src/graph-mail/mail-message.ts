import { z } from 'zod';

/** What a property without a value is: Graph leaves some out, and gives null for others. */
const text = z
  .string()
  .nullish()
  .transform((given) => given ?? '');

const flag = z
  .boolean()
  .nullish()
  .transform((given) => given ?? false);

const MailRecipient = z.object({ emailAddress: z.object({ name: text, address: text }) });
const Sender = MailRecipient.nullish().transform((given) => given ?? undefined);
const MailRecipients = z.array(MailRecipient).default([]);

/** A message as a client gives it; of what is not named here nothing is asked for. */
export const MailMessage = z.object({
  /** Changes when the message moves to another folder, unless immutable ids were asked for. */
  id: z.string(),
  /** Changes with every write. */
  changeKey: text,
  /** Stays the same wherever the message goes; a copy has the same. */
  internetMessageId: text,
  conversationId: text,
  parentFolderId: text,
  createdDateTime: text,
  lastModifiedDateTime: text,
  receivedDateTime: text,
  sentDateTime: text,
  subject: text,
  body: z.object({ contentType: z.enum(['text', 'html']), content: text }),
  /** The first 255 characters of the body, as text. */
  bodyPreview: text,
  importance: z.enum(['low', 'normal', 'high']),
  categories: z.array(z.string()).default([]),
  isRead: flag,
  isDraft: flag,
  hasAttachments: flag,
  /** Graph may leave it out in a draft. */
  from: Sender,
  sender: Sender,
  toRecipients: MailRecipients,
  ccRecipients: MailRecipients,
  bccRecipients: MailRecipients,
  replyTo: MailRecipients,
  /** Given when a message is fetched, not when it was just made or changed. */
  internetMessageHeaders: z.array(z.object({ name: text, value: text })).default([]),
});
/** A message in the mailbox. Times are ISO 8601, in whole seconds. */
export type MailMessage = Readonly<z.output<typeof MailMessage>>;

/** What a client asks for of each message. */
export const MAIL_MESSAGE_PROPERTIES: readonly string[] = Object.keys(MailMessage.shape);

export const MailFolderInfo = z.object({
  id: z.string(),
  displayName: text,
  parentFolderId: text,
  unreadItemCount: z.int().default(0),
  totalItemCount: z.int().default(0),
});
export type MailFolderInfo = Readonly<z.output<typeof MailFolderInfo>>;

export const MailAttachment = z.object({
  id: z.string(),
  name: text,
  contentType: text,
  /** In bytes. */
  size: z.int(),
  isInline: flag,
});
export type MailAttachment = Readonly<z.output<typeof MailAttachment>>;
