import { z } from 'zod';
import { badRequest, type GraphRefusal } from './refusal.ts';
import {
  FLAG_STATUSES,
  IMPORTANCES,
  INFERENCES,
  type StoredMessage,
  type StoredRecipient,
} from './stored-message.ts';

/** Exchange takes its words in any case: `HTML`, `High`. */
function anyCase<const Choices extends readonly [string, ...string[]]>(choices: Choices) {
  return z.preprocess(
    (value) =>
      typeof value === 'string'
        ? choices.find((choice) => choice.toLowerCase() === value.toLowerCase())
        : value,
    z.enum(choices),
  );
}

const Recipient = z
  .strictObject({
    emailAddress: z.strictObject({
      name: z.string().nullish(),
      address: z.string().nullish(),
    }),
  })
  .transform(({ emailAddress: { name, address } }): StoredRecipient => ({
    emailAddress: { name: name ?? address ?? '', address: address ?? '' },
  }));
const Recipients = z.array(Recipient);

const Body = z
  .strictObject({
    contentType: anyCase(['text', 'html']).default('text'),
    content: z.string().nullish(),
  })
  .transform(({ contentType, content }) => ({ contentType, content: content ?? '' }));

const MomentInZone = z.strictObject({ dateTime: z.string(), timeZone: z.string() });
const Flag = z
  .strictObject({
    flagStatus: anyCase(FLAG_STATUSES),
    startDateTime: MomentInZone.nullish(),
    dueDateTime: MomentInZone.nullish(),
    completedDateTime: MomentInZone.nullish(),
  })
  .transform(({ flagStatus, startDateTime, dueDateTime, completedDateTime }) => ({
    flagStatus,
    ...(startDateTime && { startDateTime }),
    ...(dueDateTime && { dueDateTime }),
    ...(completedDateTime && { completedDateTime }),
  }));

const Header = z.strictObject({ name: z.string(), value: z.string() });

const Attachment = z.strictObject({
  name: z.string(),
  contentType: z.string().nullish(),
  contentBytes: z.base64().nullish(),
  contentId: z.string().nullish(),
  isInline: z.boolean().nullish(),
  size: z.int().nullish(),
});

/** What may be set of a message; the rest is the store's. */
const IncomingMessage = z.strictObject({
  subject: z
    .string()
    .nullable()
    .transform((subject) => subject ?? '')
    .exactOptional(),
  body: Body.exactOptional(),
  toRecipients: Recipients.exactOptional(),
  ccRecipients: Recipients.exactOptional(),
  bccRecipients: Recipients.exactOptional(),
  replyTo: Recipients.exactOptional(),
  from: Recipient.exactOptional(),
  sender: Recipient.exactOptional(),
  importance: anyCase(IMPORTANCES).exactOptional(),
  inferenceClassification: anyCase(INFERENCES).exactOptional(),
  categories: z.array(z.string()).exactOptional(),
  flag: Flag.exactOptional(),
  isRead: z.boolean().exactOptional(),
  isReadReceiptRequested: z.boolean().exactOptional(),
  isDeliveryReceiptRequested: z.boolean().exactOptional(),
  internetMessageId: z.string().exactOptional(),
  internetMessageHeaders: z.array(Header).exactOptional(),
  attachments: z.array(Attachment).exactOptional(),
});
/** The properties of a message that a request sets. */
export type IncomingMessage = z.output<typeof IncomingMessage>;
export type IncomingAttachment = z.output<typeof Attachment>;

const READ_ONLY = new Set([
  'id',
  'changeKey',
  'createdDateTime',
  'lastModifiedDateTime',
  'receivedDateTime',
  'sentDateTime',
  'bodyPreview',
  'uniqueBody',
  'conversationId',
  'conversationIndex',
  'parentFolderId',
  'hasAttachments',
  'isDraft',
  'webLink',
]);

/** Fixed once a message is sent; the rest may be changed for ever. */
const OF_DRAFTS_ONLY: ReadonlySet<string> = new Set<keyof IncomingMessage>([
  'subject',
  'body',
  'toRecipients',
  'ccRecipients',
  'bccRecipients',
  'replyTo',
  'from',
  'sender',
  'internetMessageId',
  'internetMessageHeaders',
]);

const MAX_HEADERS = 5;
const MAX_HEADER_LENGTH = 995;

/**
 * Reads the message of a request.
 * @throws {GraphRefusal} 400, naming the property that does not exist, cannot be set or has another type.
 */
export function readMessage(value: unknown): IncomingMessage {
  const given = propertiesOf(withoutAnnotations(value, MAX_NESTING), 'message');
  for (const name of Object.keys(given)) requireWritable(name);
  const result = IncomingMessage.safeParse(given);
  if (!result.success) throw unfit(result.error);
  requireHeaders(result.data.internetMessageHeaders ?? []);
  return result.data;
}

/** Reads recipients that stand beside a message. @throws {GraphRefusal} */
export function readRecipients(value: unknown): readonly StoredRecipient[] {
  const result = Recipients.safeParse(withoutAnnotations(value, MAX_NESTING));
  if (result.success) return result.data;
  throw unfit(result.error);
}

/** @throws {GraphRefusal} When a message that is no draft would be changed in what only drafts may. */
export function requireUpdatable(changes: IncomingMessage, { isDraft }: StoredMessage): void {
  if ('attachments' in changes) {
    throw badRequest(
      "Set action is invalid for property 'attachments'.",
      'ErrorInvalidPropertySet',
    );
  }
  if (isDraft) return;
  const fixed = Object.keys(changes).find((name) => OF_DRAFTS_ONLY.has(name));
  if (fixed === undefined) return;
  throw badRequest(
    `Update operation is invalid for property '${fixed}' of a sent message.`,
    'ErrorInvalidPropertyUpdateSentMessage',
  );
}

/** A JSON object of whatever kind. @throws {GraphRefusal} */
export function propertiesOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw badRequest(`The ${what} must be a JSON object.`, 'RequestBodyRead');
}

/** Enough for a recipient in a list in a message, and one to spare. */
const MAX_NESTING = 6;

/** `@odata.type` and the like, which the vendor's SDKs send along, say nothing that is not known here. */
function withoutAnnotations(value: unknown, levels: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (levels === 0) throw badRequest('The request is nested too deeply.', 'RequestBodyRead');
  if (Array.isArray(value)) return value.map((one) => withoutAnnotations(one, levels - 1));
  const kept = Object.entries(value).filter(([name]) => !name.includes('@odata.'));
  return Object.fromEntries(
    kept.map(([name, content]) => [name, withoutAnnotations(content, levels - 1)]),
  );
}

function requireWritable(name: string): void {
  if (READ_ONLY.has(name)) {
    throw badRequest(`Set action is invalid for property '${name}'.`, 'ErrorInvalidPropertySet');
  }
  if (Object.hasOwn(IncomingMessage.shape, name)) return;
  throw badRequest(
    `The property '${name}' does not exist on type 'microsoft.graph.message'. Make sure to only use property names that are defined by the type.`,
    'RequestBodyRead',
  );
}

function requireHeaders(headers: NonNullable<IncomingMessage['internetMessageHeaders']>): void {
  if (headers.length > MAX_HEADERS) {
    throw badRequest(
      `Maximum number of headers in one message should be less than or equal to ${MAX_HEADERS}.`,
      'InvalidInternetMessageHeaderCollection',
    );
  }
  for (const { name, value } of headers) {
    if (!/^x-[\w-]+$/i.test(name)) {
      throw badRequest(
        `The internet message header name '${name}' should start with 'x-' or 'X-'.`,
        'InvalidInternetMessageHeader',
      );
    }
    if (value.length > MAX_HEADER_LENGTH) {
      throw badRequest(
        `The value of the internet message header '${name}' should be no longer than ${MAX_HEADER_LENGTH} characters.`,
        'InvalidInternetMessageHeader',
      );
    }
  }
}

function unfit(error: z.ZodError): GraphRefusal {
  const [issue] = error.issues;
  const where = issue?.path.join('.') ?? '';
  return badRequest(
    `Cannot convert the value of property '${where}': ${issue?.message ?? 'it does not fit'}.`,
    'RequestBodyRead',
  );
}
