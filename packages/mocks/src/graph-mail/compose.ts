import { htmlOf, previewOf } from './body-text.ts';
import type { IncomingMessage } from './incoming-message.ts';
import type { AnyFolder, Mailbox } from './mailbox.ts';
import type { Owner } from './owner.ts';
import { badRequest } from './refusal.ts';
import type { StoredAttachment, StoredMessage, StoredRecipient } from './stored-message.ts';

/** What is needed to make a message; the same key with the same seed makes the same ids. */
export interface Composer {
  readonly mailbox: Mailbox;
  readonly owner: Owner;
  readonly key: string;
  /** Ms since the epoch. */
  readonly at: number;
}

/** What is known of a message beside what a request says. */
export type Known = Partial<StoredMessage> & { readonly folder: AnyFolder };

/** A message from what a request says of it; what it does not say is as Exchange would have it. */
export function compose(
  { mailbox, owner, key, at }: Composer,
  { attachments = [], ...incoming }: IncomingMessage,
  { folder, ...known }: Known,
): StoredMessage {
  const now = wholeSeconds(at);
  const immutableId = mailbox.newId('immutable', key);
  const internetMessageId = mailbox.internetMessageId(immutableId);
  const message: StoredMessage = {
    immutableId,
    id: mailbox.newId('message', immutableId),
    changeKey: mailbox.changeKey(immutableId, key),
    arrival: mailbox.nextArrival(),
    folderId: mailbox.folderId(folder),
    createdAt: now,
    modifiedAt: now,
    receivedAt: now,
    sentAt: now,
    internetMessageId,
    conversationId: mailbox.conversationId(immutableId),
    subject: '',
    body: { contentType: 'text', content: '' },
    bodyPreview: '',
    importance: 'normal',
    inferenceClassification: 'focused',
    categories: [],
    flag: { flagStatus: 'notFlagged' },
    isRead: true,
    isDraft: true,
    isReadReceiptRequested: false,
    isDeliveryReceiptRequested: false,
    from: owner.recipient,
    sender: owner.recipient,
    toRecipients: [],
    ccRecipients: [],
    bccRecipients: [],
    replyTo: [],
    internetMessageHeaders: [],
    attachments: attachments.map((one, index) => attach(one, mailbox, `${key}/${index}`, now)),
    ...known,
    ...incoming,
  };
  return { ...message, bodyPreview: previewOf(message.body) };
}

export function wholeSeconds(at: number): number {
  return at - (at % 1_000);
}

function attach(
  {
    name,
    contentType,
    contentBytes,
    isInline,
  }: NonNullable<IncomingMessage['attachments']>[number],
  mailbox: Mailbox,
  key: string,
  modifiedAt: number,
): StoredAttachment {
  return {
    id: mailbox.newId('message', 'attachment', key),
    name,
    contentType: contentType ?? 'application/octet-stream',
    size: Buffer.byteLength(contentBytes ?? '', 'base64'),
    isInline: isInline ?? false,
    modifiedAt,
  };
}

/** An answer to a message, or a message passed on. */
export type Response = 'reply' | 'replyAll' | 'forward';

/** What a request for one says. */
export interface ResponseRequest {
  readonly comment: string | undefined;
  readonly message: IncomingMessage;
  readonly toRecipients: readonly StoredRecipient[];
}

/** A reply or forward as a draft, quoting what it is about. @throws {GraphRefusal} */
export function composeResponse(
  composer: Composer,
  kind: Response,
  original: StoredMessage,
  { comment, message, toRecipients }: ResponseRequest,
): StoredMessage {
  if (comment !== undefined && message.body !== undefined) {
    throw badRequest(
      'Specify either the comment or the body of the message, not both.',
      'ErrorInvalidRequest',
    );
  }
  if (toRecipients.length > 0 && message.toRecipients !== undefined) {
    throw badRequest(
      'Specify the recipients either beside the message or in it, not both.',
      'ErrorInvalidRequest',
    );
  }
  const words = message.body ?? { contentType: 'text', content: comment ?? '' };
  const prefix = kind === 'forward' ? 'FW:' : 'RE:';
  const { subject } = original;
  return compose(
    composer,
    {
      ...recipientsOf(kind, original, composer.owner),
      subject: subject.toLowerCase().startsWith(prefix.toLowerCase())
        ? subject
        : `${prefix} ${subject}`,
      ...message,
      ...(toRecipients.length > 0 && { toRecipients: [...toRecipients] }),
      body: { contentType: 'html', content: quoting(htmlOf(words), original) },
    },
    {
      folder: 'drafts',
      conversationId: original.conversationId,
      importance: kind === 'forward' ? original.importance : 'normal',
    },
  );
}

function recipientsOf(
  kind: Response,
  original: StoredMessage,
  owner: Owner,
): Pick<IncomingMessage, 'toRecipients' | 'ccRecipients'> {
  if (kind === 'forward') return {};
  const { replyTo, from, toRecipients, ccRecipients } = original;
  const back = replyTo.length > 0 ? [...replyTo] : [from];
  if (kind === 'reply') return { toRecipients: back };
  const others = (recipients: readonly StoredRecipient[]) =>
    recipients.filter(({ emailAddress }) => !owner.isAt(emailAddress.address));
  return {
    toRecipients: withoutRepetition([...back, ...others(toRecipients)]),
    ccRecipients: withoutRepetition(others(ccRecipients)),
  };
}

function withoutRepetition(recipients: readonly StoredRecipient[]): StoredRecipient[] {
  const byAddress = new Map(
    recipients.toReversed().map((one) => [one.emailAddress.address.toLowerCase(), one]),
  );
  return [...byAddress.values()].toReversed();
}

function quoting(words: string, original: StoredMessage): string {
  const { from, sentAt, toRecipients, subject, body } = original;
  const lines = [
    `<b>From:</b> ${namesOf([from])}`,
    `<b>Sent:</b> ${new Date(sentAt).toUTCString()}`,
    `<b>To:</b> ${namesOf(toRecipients)}`,
    `<b>Subject:</b> ${htmlOf({ contentType: 'text', content: subject })}`,
  ];
  return `<html><body>${words}<hr>${lines.join('<br>')}<br><br>${htmlOf(body)}</body></html>`;
}

function namesOf(recipients: readonly StoredRecipient[]): string {
  const names = recipients.map(({ emailAddress: { name, address } }) =>
    name === address ? name : `${name} <${address}>`,
  );
  return htmlOf({ contentType: 'text', content: names.join('; ') });
}
