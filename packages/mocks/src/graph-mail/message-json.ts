import type { Json } from '../wire/message.ts';
import { htmlOf, plainText } from './body-text.ts';
import type { MessageSelection } from './odata-query.ts';
import type { RequestContext } from './request-context.ts';
import { hasAttachments, type StoredAttachment, type StoredMessage } from './stored-message.ts';

type Wanted = Pick<RequestContext, 'wantsImmutableIds' | 'bodyType'>;
type Writer = (message: StoredMessage, wanted: Wanted) => Json;

/** Every property that a message has on the wire, in the order in which Graph writes them. */
const PROPERTIES: Readonly<Record<string, Writer>> = {
  createdDateTime: ({ createdAt }) => timeText(createdAt),
  lastModifiedDateTime: ({ modifiedAt }) => timeText(modifiedAt),
  changeKey: ({ changeKey }) => changeKey,
  categories: ({ categories }) => categories,
  receivedDateTime: ({ receivedAt }) => timeText(receivedAt),
  sentDateTime: ({ sentAt }) => timeText(sentAt),
  hasAttachments: (message) => hasAttachments(message),
  internetMessageId: ({ internetMessageId }) => internetMessageId,
  subject: ({ subject }) => subject,
  bodyPreview: ({ bodyPreview }) => bodyPreview,
  importance: ({ importance }) => importance,
  parentFolderId: ({ folderId }) => folderId,
  conversationId: ({ conversationId }) => conversationId,
  conversationIndex: ({ conversationId }) => conversationIndexOf(conversationId),
  isDeliveryReceiptRequested: ({ isDeliveryReceiptRequested }) => isDeliveryReceiptRequested,
  isReadReceiptRequested: ({ isReadReceiptRequested }) => isReadReceiptRequested,
  isRead: ({ isRead }) => isRead,
  isDraft: ({ isDraft }) => isDraft,
  webLink: ({ id }) =>
    `https://outlook.office365.com/owa/?ItemID=${encodeURIComponent(id)}&exvsurl=1&viewmodel=ReadMessageItem`,
  inferenceClassification: ({ inferenceClassification }) => inferenceClassification,
  body: (message, wanted) => bodyJson(message, wanted),
  sender: ({ sender }) => sender,
  from: ({ from }) => from,
  toRecipients: ({ toRecipients }) => toRecipients,
  ccRecipients: ({ ccRecipients }) => ccRecipients,
  bccRecipients: ({ bccRecipients }) => bccRecipients,
  replyTo: ({ replyTo }) => replyTo,
  flag: ({ flag }) => flag,
  // Only for who asks by $select:
  internetMessageHeaders: ({ internetMessageHeaders }) => internetMessageHeaders,
  uniqueBody: (message, wanted) => bodyJson(message, wanted),
};

const ON_REQUEST = new Set(['internetMessageHeaders', 'uniqueBody']);
const BY_DEFAULT = Object.keys(PROPERTIES).filter((name) => !ON_REQUEST.has(name));

/** What `$select` may name. */
export const SELECTABLE: ReadonlySet<string> = new Set(['id', ...Object.keys(PROPERTIES)]);

/** A message as Graph writes it, with its id and etag, whatever is selected. */
export function messageJson(
  message: StoredMessage,
  wanted: Wanted,
  { select, expandsAttachments }: MessageSelection = {},
): { readonly [name: string]: Json } {
  const names = select ?? BY_DEFAULT;
  const written: Record<string, Json> = {
    '@odata.etag': etagOf(message),
    id: wanted.wantsImmutableIds ? message.immutableId : message.id,
  };
  for (const name of names) {
    const write = PROPERTIES[name];
    if (write) written[name] = write(message, wanted);
  }
  if (expandsAttachments)
    written['attachments'] = message.attachments.map((one) => attachmentJson(one));
  return written;
}

/** Without its content: the description at hand knows no property for it. */
export function attachmentJson({
  id,
  name,
  contentType,
  size,
  isInline,
  modifiedAt,
}: StoredAttachment): { readonly [name: string]: Json } {
  return {
    '@odata.type': '#microsoft.graph.fileAttachment',
    '@odata.mediaContentType': contentType,
    id,
    lastModifiedDateTime: timeText(modifiedAt),
    name,
    contentType,
    size,
    isInline,
  };
}

export function etagOf({ changeKey }: StoredMessage): string {
  return `W/"${changeKey}"`;
}

/** Graph tells the time of messages in whole seconds. */
function timeText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS'.length)}Z`;
}

function bodyJson({ body }: StoredMessage, { bodyType }: Wanted): Json {
  if (bodyType === undefined || bodyType === body.contentType) return body;
  return {
    contentType: bodyType,
    content: bodyType === 'text' ? plainText(body) : `<html><body>${htmlOf(body)}</body></html>`,
  };
}

/** Messages of one conversation begin alike; ours have no more to say than that. */
function conversationIndexOf(conversationId: string): string {
  return Buffer.from(conversationId).toString('base64').slice(4, 34) + '==';
}
