import { z } from 'zod';

const Recipient = z
  .strictObject({ emailAddress: z.strictObject({ name: z.string(), address: z.string() }) })
  .readonly();
export type StoredRecipient = z.output<typeof Recipient>;

const Recipients = z.array(Recipient).readonly();

export const IMPORTANCES = ['low', 'normal', 'high'] as const;
export const INFERENCES = ['focused', 'other'] as const;
export const FLAG_STATUSES = ['notFlagged', 'flagged', 'complete'] as const;

const MomentInZone = z.strictObject({ dateTime: z.string(), timeZone: z.string() }).readonly();

const FollowupFlag = z
  .strictObject({
    flagStatus: z.enum(FLAG_STATUSES),
    startDateTime: MomentInZone.exactOptional(),
    dueDateTime: MomentInZone.exactOptional(),
    completedDateTime: MomentInZone.exactOptional(),
  })
  .readonly();

const Attachment = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    contentType: z.string(),
    size: z.int().nonnegative(),
    isInline: z.boolean(),
    /** Ms since the epoch. */
    modifiedAt: z.int(),
  })
  .readonly();
export type StoredAttachment = z.output<typeof Attachment>;

/** A message as the mailbox keeps it: what the wire computes is left out, and times are ms since the epoch. */
export const StoredMessage = z
  .strictObject({
    /** Stays the same wherever the message goes. */
    immutableId: z.string(),
    /** The one that changes on a move. */
    id: z.string(),
    changeKey: z.string(),
    /** Counts up: which of two messages of one second came later. */
    arrival: z.int().nonnegative(),
    folderId: z.string(),
    createdAt: z.int(),
    modifiedAt: z.int(),
    receivedAt: z.int(),
    sentAt: z.int(),
    internetMessageId: z.string(),
    conversationId: z.string(),
    subject: z.string(),
    body: z.strictObject({ contentType: z.enum(['text', 'html']), content: z.string() }).readonly(),
    bodyPreview: z.string(),
    importance: z.enum(IMPORTANCES),
    inferenceClassification: z.enum(INFERENCES),
    categories: z.array(z.string()).readonly(),
    flag: FollowupFlag,
    isRead: z.boolean(),
    isDraft: z.boolean(),
    isReadReceiptRequested: z.boolean(),
    isDeliveryReceiptRequested: z.boolean(),
    from: Recipient,
    sender: Recipient,
    toRecipients: Recipients,
    ccRecipients: Recipients,
    bccRecipients: Recipients,
    replyTo: Recipients,
    internetMessageHeaders: z
      .array(z.strictObject({ name: z.string(), value: z.string() }).readonly())
      .readonly(),
    attachments: z.array(Attachment).readonly(),
  })
  .readonly();
export type StoredMessage = z.output<typeof StoredMessage>;

/** Attachments that are shown in the body are not counted, as at the provider. */
export function hasAttachments({ attachments }: StoredMessage): boolean {
  return attachments.some(({ isInline }) => !isInline);
}
