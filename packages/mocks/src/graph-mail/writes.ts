import { z } from 'zod';
import type { WireBody } from '../wire/message.ts';
import type { StateChange } from '../wire/provider.ts';
import type { Outcome } from './answers.ts';
import { previewOf } from './body-text.ts';
import {
  compose,
  type Composer,
  composeResponse,
  type Response,
  type ResponseRequest,
  wholeSeconds,
} from './compose.ts';
import { folderIdOf } from './folders.ts';
import { propertiesOf, readMessage, readRecipients, requireUpdatable } from './incoming-message.ts';
import { etagOf } from './message-json.ts';
import { type Reading, messageEntity } from './reads.ts';
import { badRequest, GraphRefusal } from './refusal.ts';
import type { StoredMessage } from './stored-message.ts';

/** `POST sendMail`: straight to Sent Items, if it is to be kept at all. */
export function sendMail(writing: Reading): Outcome {
  const parameters = parametersOf(writing.context.request.body);
  const message = compose(composerOf(writing), readMessage(parameters.get('message')), {
    folder: 'sentitems',
    isDraft: false,
  });
  requireRecipients(message);
  const isKept = truthOf(parameters.get('savetosentitems') ?? true, 'SaveToSentItems');
  return isKept ? accepted(writing, message, 'created') : { status: 202, changes: [] };
}

export function createMessage(writing: Reading): Outcome {
  const incoming = readMessage(jsonOf(writing.context.request.body));
  const draft = compose(composerOf(writing), incoming, { folder: 'drafts' });
  return created(writing, draft);
}

export function updateMessage(writing: Reading): Outcome {
  const { view, route, context, mailbox } = writing;
  const message = view.get(route.id);
  requireMatch(writing, message);
  const incoming = readMessage(jsonOf(context.request.body));
  requireUpdatable(incoming, message);
  const { attachments: _refused, ...changes } = incoming;
  const body = incoming.body ?? message.body;
  const updated = changed(writing, message, { ...changes, bodyPreview: previewOf(body) });
  mailbox.write({ kind: 'put', message: updated });
  return {
    status: 200,
    body: messageEntity(updated, context),
    changes: [changeOf('updated', updated)],
  };
}

/** Moves to Deleted Items; from there, removes. */
export function deleteMessage(writing: Reading): Outcome {
  const { view, route, mailbox } = writing;
  const message = view.get(route.id);
  requireMatch(writing, message);
  const deletedItems = mailbox.folderId('deleteditems');
  if (message.folderId === deletedItems) {
    mailbox.write({ kind: 'remove', immutableId: message.immutableId });
  } else {
    mailbox.write({ kind: 'put', message: moved(writing, message, deletedItems) });
  }
  return { status: 204, changes: [changeOf('deleted', message)] };
}

export function sendDraft(writing: Reading): Outcome {
  const { view, route, mailbox } = writing;
  const draft = view.get(route.id);
  if (!draft.isDraft) {
    throw badRequest('Only a draft can be sent.', 'ErrorInvalidRequest');
  }
  requireRecipients(draft);
  return accepted(
    writing,
    sent(writing, moved(writing, draft, mailbox.folderId('sentitems'))),
    'updated',
  );
}

/** `reply`, `replyAll`, `forward`: composes and sends. */
export function respond(writing: Reading, kind: Response): Outcome {
  const message = responseOf(writing, kind);
  requireRecipients(message);
  const { mailbox } = writing;
  const inSentItems = { ...message, folderId: mailbox.folderId('sentitems') };
  return accepted(writing, sent(writing, inSentItems), 'created');
}

/** `createReply` and the like: composes only. */
export function createResponse(writing: Reading, kind: Response): Outcome {
  return created(writing, responseOf(writing, kind));
}

export function moveMessage(writing: Reading): Outcome {
  const { view, route, context, mailbox } = writing;
  const message = view.get(route.id);
  const result = moved(writing, message, destinationOf(writing));
  mailbox.write({ kind: 'put', message: result });
  return {
    status: 201,
    headers: { location: locationOf(writing, result) },
    body: messageEntity(result, context),
    changes: [changeOf('updated', result)],
  };
}

export function copyMessage(writing: Reading): Outcome {
  const { view, route, context, mailbox } = writing;
  const original = view.get(route.id);
  const immutableId = mailbox.newId('immutable', context.key);
  return created(writing, {
    ...original,
    immutableId,
    id: mailbox.newId('message', immutableId),
    changeKey: mailbox.changeKey(immutableId, context.key),
    arrival: mailbox.nextArrival(),
    folderId: destinationOf(writing),
    createdAt: wholeSeconds(context.call.at),
    modifiedAt: wholeSeconds(context.call.at),
  });
}

function responseOf(writing: Reading, kind: Response): StoredMessage {
  const original = writing.view.get(writing.route.id);
  const parameters = parametersOf(writing.context.request.body);
  const comment = parameters.get('comment') ?? undefined;
  if (comment !== undefined && typeof comment !== 'string') {
    throw badRequest("Cannot convert the value of parameter 'comment'.", 'RequestBodyRead');
  }
  const request: ResponseRequest = {
    comment,
    message: readMessage(parameters.get('message') ?? {}),
    toRecipients: readRecipients(parameters.get('torecipients') ?? []),
  };
  return composeResponse(composerOf(writing), kind, original, request);
}

function accepted(
  { mailbox }: Reading,
  message: StoredMessage,
  kind: 'created' | 'updated',
): Outcome {
  mailbox.write({ kind: 'put', message });
  return { status: 202, changes: [changeOf(kind, message)] };
}

function created(writing: Reading, message: StoredMessage): Outcome {
  writing.mailbox.write({ kind: 'put', message });
  return {
    status: 201,
    headers: { location: locationOf(writing, message) },
    body: messageEntity(message, writing.context),
    changes: [changeOf('created', message)],
  };
}

function composerOf({ mailbox, owner, context }: Reading): Composer {
  return { mailbox, owner, key: context.key, at: context.call.at };
}

/** In another folder, and so under another id. */
function moved(writing: Reading, message: StoredMessage, folderId: string): StoredMessage {
  const id = writing.mailbox.newId('message', message.id, writing.context.key);
  return changed(writing, message, { id, folderId });
}

function sent({ mailbox, context }: Reading, draft: StoredMessage): StoredMessage {
  const now = wholeSeconds(context.call.at);
  return { ...draft, isDraft: false, receivedAt: now, sentAt: now, arrival: mailbox.nextArrival() };
}

function changed(
  { mailbox, context }: Reading,
  message: StoredMessage,
  changes: Partial<StoredMessage>,
): StoredMessage {
  return {
    ...message,
    ...changes,
    changeKey: mailbox.changeKey(message.changeKey, context.key),
    modifiedAt: wholeSeconds(context.call.at),
  };
}

function changeOf(kind: StateChange['kind'], { immutableId }: StoredMessage): StateChange {
  return { kind, what: 'message', id: immutableId };
}

function locationOf({ context }: Reading, message: StoredMessage): string {
  const id = context.wantsImmutableIds ? message.immutableId : message.id;
  return `${context.request.origin}/v1.0/${context.user}/messages('${encodeURIComponent(id)}')`;
}

function destinationOf({ context, mailbox }: Reading): string {
  const destination = parametersOf(context.request.body).get('destinationid');
  if (typeof destination !== 'string' || destination === '') {
    throw badRequest("The parameter 'destinationId' is missing or no text.", 'ErrorInvalidRequest');
  }
  return folderIdOf(destination, mailbox);
}

function requireMatch({ context }: Reading, message: StoredMessage): void {
  const wanted = context.request.headers['if-match'];
  if (wanted === undefined || wanted.trim() === '*') return;
  const etags = wanted.split(',').map((etag) => etag.trim().replace(/^W\//, ''));
  if (etags.includes(etagOf(message).replace(/^W\//, ''))) return;
  throw new GraphRefusal(
    412,
    'ErrorIrresolvableConflict',
    'The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.',
  );
}

function requireRecipients({ toRecipients, ccRecipients, bccRecipients }: StoredMessage): void {
  const recipients = [...toRecipients, ...ccRecipients, ...bccRecipients];
  const bad = recipients.find(({ emailAddress }) => !z.regexes.email.test(emailAddress.address));
  if (recipients.length > 0 && !bad) return;
  throw badRequest(
    `At least one recipient is not valid., Recipient '${bad?.emailAddress.address ?? ''}' is not valid.`,
    'ErrorInvalidRecipients',
  );
}

/** The parameters of an action, by name in lower case: the vendor's own SDKs differ in how they write them. */
function parametersOf(body: WireBody): ReadonlyMap<string, unknown> {
  if (body.kind === 'none') return new Map();
  const given = propertiesOf(jsonOf(body), 'request');
  return new Map(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]));
}

function jsonOf(body: WireBody): unknown {
  if (body.kind === 'json') return body.value;
  if (body.kind === 'unreadable' && body.contentType === 'text/plain') throw mimeRefusal(body.text);
  throw badRequest('The request has no JSON body that can be read.', 'RequestBodyRead');
}

function mimeRefusal(text: string): GraphRefusal {
  if (!/^[A-Za-z\d+/\s]+={0,2}\s*$/.test(text)) {
    return badRequest(
      'Invalid base64 string for MIME content.',
      'ErrorMimeContentInvalidBase64String',
    );
  }
  return new GraphRefusal(
    501,
    'NotImplemented',
    'MIME content is not part of this mock of Graph mail.',
  );
}

/** The vendor's documentation itself sends `"false"`. */
function truthOf(value: unknown, name: string): boolean {
  if (typeof value === 'boolean') return value;
  if (value === 'true' || value === 'false') return value === 'true';
  throw badRequest(`Cannot convert the value of parameter '${name}'.`, 'RequestBodyRead');
}
