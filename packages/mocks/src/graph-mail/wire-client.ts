import { z } from 'zod';
import type { CallSpec, WireCaller } from '../client/caller.ts';
import { ProviderError } from '../errors.ts';
import type { CallOptions } from '../exchange/call-options.ts';
import type { BatchStep, GraphMailClient, MessageQuery } from './client.ts';
import {
  MAIL_MESSAGE_PROPERTIES,
  MailAttachment,
  MailFolderInfo,
  MailMessage,
} from './mail-message.ts';
import type { OutgoingMessage } from './message-fields.ts';

const $select = MAIL_MESSAGE_PROPERTIES.join(',');

const MessagePage = z.object({
  value: z.array(MailMessage),
  '@odata.nextLink': z.string().nullish(),
});
const FolderPage = z.object({ value: z.array(MailFolderInfo) });
const AttachmentPage = z.object({ value: z.array(MailAttachment) });
const User = z.object({ mail: z.string().nullish(), userPrincipalName: z.string().nullish() });
const BatchAnswer = z.object({
  responses: z.array(
    z.object({
      id: z.string(),
      status: z.int(),
      headers: z.record(z.string(), z.string()).default({}),
      body: z.unknown().optional(),
    }),
  ),
});
/** An answer without a body. */
const Nothing = z.undefined();
const IMMUTABLE_IDS = { prefer: 'IdType="ImmutableId"' };
const LARGEST_PAGE = 1_000;

/**
 * The client of a mailbox, over whatever the caller reaches.
 * @param user The path of the mailbox's owner: `/me`.
 */
export function graphMailClientOver(caller: WireCaller, user = '/me'): GraphMailClient {
  const messages = `${user}/messages`;
  const pathOf = (messageId: string, action = '') =>
    `${messages}/${encodeURIComponent(messageId)}${action}`;

  const getMessage = (messageId: string, options: CallOptions = {}, headers = {}) =>
    caller.call(
      {
        operation: 'messages.get',
        method: 'GET',
        path: pathOf(messageId),
        query: { $select },
        headers,
        isWrite: false,
        answer: MailMessage,
      },
      options,
    );

  const post = <Answer extends z.ZodType>(
    operation: string,
    path: string,
    json: unknown,
    answer: Answer,
    options: CallOptions,
    headers = {},
  ) => {
    const spec: CallSpec<Answer> = {
      operation,
      method: 'POST',
      path,
      headers,
      isWrite: true,
      answer,
      ...(json !== undefined && { json }),
    };
    return caller.call(spec, options);
  };

  const createDraft = (message: Partial<OutgoingMessage>, options: CallOptions, headers = {}) =>
    post('messages.create', messages, message, MailMessage, options, headers);

  const sendDraft = (messageId: string, options: CallOptions) =>
    post('messages.send', pathOf(messageId, '/send'), undefined, Nothing, options);

  const updateMessage: GraphMailClient['updateMessage'] = (messageId, changes, options = {}) => {
    const { ifChangeKey, ...callOptions } = options;
    return caller.call(
      {
        operation: 'messages.update',
        method: 'PATCH',
        path: pathOf(messageId),
        ...(ifChangeKey !== undefined && { headers: { 'if-match': `W/"${ifChangeKey}"` } }),
        json: changes,
        isWrite: true,
        isRepeatable: ifChangeKey === undefined, // with it, a second try meets what the first has done
        answer: MailMessage,
      },
      callOptions,
    );
  };

  const list = (
    operation: string,
    query: MessageQuery & { search?: string },
    options: CallOptions,
  ) =>
    caller.call(
      {
        operation,
        method: 'GET',
        path:
          query.folder === undefined
            ? messages
            : `${user}/mailFolders/${encodeURIComponent(query.folder)}/messages`,
        query: {
          $top: query.limit,
          $skip: query.skip,
          $filter: query.filter,
          $orderby: query.orderBy,
          $search: query.search,
          $select,
        },
        isWrite: false,
        answer: MessagePage,
      },
      options,
    );

  return {
    sendEmail: (message, options = {}) =>
      post('mail.send', `${user}/sendMail`, { message }, Nothing, options),
    sendEmailAsDraft: async (message, options = {}) => {
      const draft = await createDraft(message, options, IMMUTABLE_IDS);
      const { id, internetMessageId, conversationId } = draft;
      const send = () => sendDraft(id, options);
      const isSent = async () => !(await getMessage(id, options, IMMUTABLE_IDS)).isDraft;
      await sendSurely(send, isSent);
      return { id, internetMessageId, conversationId };
    },
    getMessages: async (query = {}, options = {}) => {
      const page = await list('messages.list', query, options);
      return { messages: page.value, hasMore: typeof page['@odata.nextLink'] === 'string' };
    },
    countMessages: (filter, options = {}) =>
      caller.call(
        {
          operation: 'messages.count',
          method: 'GET',
          path: `${messages}/$count`,
          query: { $filter: filter },
          headers: { accept: 'text/plain' },
          isWrite: false,
          answer: z.int(),
        },
        options,
      ),
    getMessage: (messageId, options) => getMessage(messageId, options),
    readMessage: async (messageId, options = {}) => {
      const message = await getMessage(messageId, options);
      if (message.isRead) return message;
      const read = await updateMessage(message.id, { isRead: true }, options);
      return { ...read, internetMessageHeaders: message.internetMessageHeaders };
    },
    searchMessages: async (query, { limit } = {}, options = {}) => {
      const search = `"${query.replaceAll(/["\\]/g, '\\$&')}"`;
      return (await list('messages.search', { search, limit }, options)).value;
    },
    deleteMessage: (messageId, options = {}) =>
      caller.call(
        {
          operation: 'messages.delete',
          method: 'DELETE',
          path: pathOf(messageId),
          isWrite: true, // and never repeated: a second time removes for good what is in Deleted Items
          answer: Nothing,
        },
        options,
      ),
    updateMessage,
    moveMessage: (messageId, folder, options = {}) =>
      post('messages.move', pathOf(messageId, '/move'), to(folder), MailMessage, options),
    copyMessage: (messageId, folder, options = {}) =>
      post('messages.copy', pathOf(messageId, '/copy'), to(folder), MailMessage, options),
    createDraft: (message, options = {}) => createDraft(message, options),
    createReplyDraft: (messageId, comment, options = {}) =>
      post(
        'messages.createReply',
        pathOf(messageId, '/createReply'),
        { comment },
        MailMessage,
        options,
      ),
    sendDraft: (messageId, options = {}) => sendDraft(messageId, options),
    replyToMessage: (messageId, comment, options = {}) =>
      post('messages.reply', pathOf(messageId, '/reply'), { comment }, Nothing, options),
    replyToAll: (messageId, comment, options = {}) =>
      post('messages.replyAll', pathOf(messageId, '/replyAll'), { comment }, Nothing, options),
    forwardMessage: (messageId, toRecipients, comment, options = {}) =>
      post(
        'messages.forward',
        pathOf(messageId, '/forward'),
        { comment, toRecipients },
        Nothing,
        options,
      ),
    listAttachments: async (messageId, options = {}) => {
      const page = await caller.call(
        {
          operation: 'attachments.list',
          method: 'GET',
          path: pathOf(messageId, '/attachments'),
          query: { $top: LARGEST_PAGE, $select: 'id,name,contentType,size,isInline' },
          isWrite: false,
          answer: AttachmentPage,
        },
        options,
      );
      return page.value;
    },
    listFolders: async (options = {}) => {
      const page = await caller.call(
        {
          operation: 'folders.list',
          method: 'GET',
          path: `${user}/mailFolders`,
          query: { $top: LARGEST_PAGE },
          isWrite: false,
          answer: FolderPage,
        },
        options,
      );
      return page.value;
    },
    getFolder: (folder, options = {}) =>
      caller.call(
        {
          operation: 'folders.get',
          method: 'GET',
          path: `${user}/mailFolders/${encodeURIComponent(folder)}`,
          isWrite: false,
          answer: MailFolderInfo,
        },
        options,
      ),
    batch: async (steps, options = {}) => {
      const isWrite = steps.some(({ method }) => method !== 'GET');
      const answer = await caller.call(
        {
          operation: 'batch',
          method: 'POST',
          path: '/$batch',
          json: { requests: steps.map(withContentType) },
          isWrite,
          answer: BatchAnswer,
        },
        options,
      );
      return answer.responses;
    },
    testConnection: async (options = {}) => {
      const { mail, userPrincipalName } = await caller.call(
        { operation: 'me.get', method: 'GET', path: user, isWrite: false, answer: User },
        options,
      );
      return { account: mail ?? userPrincipalName ?? '' };
    },
  };
}

function to(folder: string): { destinationId: string } {
  return { destinationId: folder };
}

function withContentType(step: BatchStep): BatchStep {
  if (step.body === undefined) return step;
  return { ...step, headers: { 'Content-Type': 'application/json', ...step.headers } };
}

/**
 * Sends, and once more when it was in doubt and the draft is still there. Who looks may see what was a moment ago: so when
 * the second sending fails as well, the doubt remains unless another look ends it.
 */
async function sendSurely(
  send: () => Promise<void>,
  isSent: () => Promise<boolean>,
): Promise<void> {
  try {
    await send();
  } catch (doubt) {
    if (!(doubt instanceof ProviderError) || doubt.effect === 'none') throw doubt;
    if (await orElse(isSent, doubt)) return;
    const isSentNow = () => send().then(() => true, isSent);
    if (!(await orElse(isSentNow, doubt))) throw doubt;
  }
}

/** @throws `failure`, in place of what `ask` throws. */
async function orElse(ask: () => Promise<boolean>, failure: ProviderError): Promise<boolean> {
  try {
    return await ask();
  } catch (error) {
    throw error instanceof ProviderError ? failure : error;
  }
}
