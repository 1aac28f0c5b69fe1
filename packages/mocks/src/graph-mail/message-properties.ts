import { collectionOf, type Filterable, type FilterProperty } from './filter/filter.ts';
import type { SortKey } from './odata-query.ts';
import {
  FLAG_STATUSES,
  hasAttachments,
  IMPORTANCES,
  INFERENCES,
  type StoredMessage,
  type StoredRecipient,
} from './stored-message.ts';

const RECIPIENT: ReadonlyMap<string, FilterProperty<StoredRecipient>> = new Map([
  ['emailAddress/address', { kind: 'text', of: ({ emailAddress }) => emailAddress.address }],
  ['emailAddress/name', { kind: 'text', of: ({ emailAddress }) => emailAddress.name }],
]);

const CATEGORY: ReadonlyMap<string, FilterProperty<string>> = new Map([
  ['', { kind: 'text', of: (category) => category }],
]);

/** What messages can be filtered by. */
export const FILTERABLE_MESSAGE: Filterable<StoredMessage> = {
  properties: new Map<string, FilterProperty<StoredMessage>>([
    ['subject', { kind: 'text', of: ({ subject }) => subject }],
    ['bodyPreview', { kind: 'text', of: ({ bodyPreview }) => bodyPreview }],
    ['body/content', { kind: 'text', of: ({ body }) => body.content }],
    [
      'body/contentType',
      { kind: 'choice', choices: ['text', 'html'], of: ({ body }) => body.contentType },
    ],
    ['from/emailAddress/address', { kind: 'text', of: ({ from }) => from.emailAddress.address }],
    ['from/emailAddress/name', { kind: 'text', of: ({ from }) => from.emailAddress.name }],
    [
      'sender/emailAddress/address',
      { kind: 'text', of: ({ sender }) => sender.emailAddress.address },
    ],
    ['sender/emailAddress/name', { kind: 'text', of: ({ sender }) => sender.emailAddress.name }],
    ['importance', { kind: 'choice', choices: IMPORTANCES, of: ({ importance }) => importance }],
    [
      'inferenceClassification',
      {
        kind: 'choice',
        choices: INFERENCES,
        of: ({ inferenceClassification }) => inferenceClassification,
      },
    ],
    [
      'flag/flagStatus',
      { kind: 'choice', choices: FLAG_STATUSES, of: ({ flag }) => flag.flagStatus },
    ],
    ['isRead', { kind: 'boolean', of: ({ isRead }) => isRead }],
    ['isDraft', { kind: 'boolean', of: ({ isDraft }) => isDraft }],
    ['hasAttachments', { kind: 'boolean', of: (message) => hasAttachments(message) }],
    [
      'isReadReceiptRequested',
      { kind: 'boolean', of: ({ isReadReceiptRequested }) => isReadReceiptRequested },
    ],
    [
      'isDeliveryReceiptRequested',
      { kind: 'boolean', of: ({ isDeliveryReceiptRequested }) => isDeliveryReceiptRequested },
    ],
    ['receivedDateTime', { kind: 'time', of: ({ receivedAt }) => receivedAt }],
    ['sentDateTime', { kind: 'time', of: ({ sentAt }) => sentAt }],
    ['createdDateTime', { kind: 'time', of: ({ createdAt }) => createdAt }],
    ['lastModifiedDateTime', { kind: 'time', of: ({ modifiedAt }) => modifiedAt }],
    ['conversationId', { kind: 'id', of: ({ conversationId }) => conversationId }],
    ['parentFolderId', { kind: 'id', of: ({ folderId }) => folderId }],
    ['internetMessageId', { kind: 'id', of: ({ internetMessageId }) => internetMessageId }],
  ]),
  collections: new Map([
    ['toRecipients', collectionOf(({ toRecipients }: StoredMessage) => toRecipients, RECIPIENT)],
    ['ccRecipients', collectionOf(({ ccRecipients }: StoredMessage) => ccRecipients, RECIPIENT)],
    ['bccRecipients', collectionOf(({ bccRecipients }: StoredMessage) => bccRecipients, RECIPIENT)],
    ['replyTo', collectionOf(({ replyTo }: StoredMessage) => replyTo, RECIPIENT)],
    ['categories', collectionOf(({ categories }: StoredMessage) => categories, CATEGORY)],
  ]),
};

/** What messages can be sorted by. */
export const SORT_KEYS: ReadonlyMap<string, SortKey<StoredMessage>> = new Map<
  string,
  SortKey<StoredMessage>
>([
  ['receivedDateTime', ({ receivedAt }) => receivedAt],
  ['sentDateTime', ({ sentAt }) => sentAt],
  ['createdDateTime', ({ createdAt }) => createdAt],
  ['lastModifiedDateTime', ({ modifiedAt }) => modifiedAt],
  ['subject', ({ subject }) => subject.toLowerCase()],
  ['from/emailAddress/name', ({ from }) => from.emailAddress.name.toLowerCase()],
  ['from/emailAddress/address', ({ from }) => from.emailAddress.address.toLowerCase()],
  ['sender/emailAddress/name', ({ sender }) => sender.emailAddress.name.toLowerCase()],
  ['sender/emailAddress/address', ({ sender }) => sender.emailAddress.address.toLowerCase()],
  ['importance', ({ importance }) => IMPORTANCES.indexOf(importance)],
  ['isRead', ({ isRead }) => isRead],
  ['isDraft', ({ isDraft }) => isDraft],
  ['hasAttachments', (message) => hasAttachments(message)],
]);
