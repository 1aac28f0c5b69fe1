import { parseOrThrow } from '@buddy/core';
import { z } from 'zod';
import type { IsAdmitted } from '../exchange/is-admitted.ts';
import type { Json, WireRequest, WireResponse } from '../wire/message.ts';
import type { Refusal, WireAnswer, WireCall, WireProvider } from '../wire/provider.ts';
import { authenticate } from './access-token.ts';
import { answer, type Outcome, refusalAnswer } from './answers.ts';
import { runBatch } from './batch.ts';
import { compose } from './compose.ts';
import { Mailbox, type MailFolder, type MailboxView } from './mailbox.ts';
import { queryOf } from './odata-query.ts';
import { OPERATION_TRAITS } from './operation-traits.ts';
import type { GraphMailMockOptions } from './options.ts';
import { Owner } from './owner.ts';
import {
  countMessages,
  getFolder,
  getMessage,
  getUser,
  listAttachments,
  listFolders,
  listMessages,
  type Reading,
} from './reads.ts';
import { faultRefusal } from './fault-refusal.ts';
import { GraphRefusal } from './refusal.ts';
import { contextOf, type RequestContext } from './request-context.ts';
import { type Route, routeOf } from './routes.ts';
import { SAMPLE_MESSAGES } from './sample-messages.ts';
import { Throttle } from './throttle.ts';
import {
  copyMessage,
  createMessage,
  createResponse,
  deleteMessage,
  moveMessage,
  respond,
  sendDraft,
  sendMail,
  updateMessage,
} from './writes.ts';

const Snapshot = z.strictObject({
  mailbox: z.unknown(),
  throttle: z.strictObject({ windowStartedAt: z.int(), requests: z.int().nonnegative() }),
});

/** One mailbox of Microsoft Graph, as it answers on the wire. */
export class GraphMailProvider implements WireProvider {
  readonly name = 'msgraph';
  readonly operations = OPERATION_TRAITS;
  readonly #options: GraphMailMockOptions;
  readonly #isAdmitted: IsAdmitted | undefined;
  readonly #startedAt: number;
  readonly #owner: Owner;
  readonly #mailbox: Mailbox;
  #throttle = new Throttle();

  /** @param startedAt Ms since the epoch: the sample messages are dated back from it. */
  constructor(options: GraphMailMockOptions, startedAt: number, isAdmitted?: IsAdmitted) {
    this.#options = options;
    this.#isAdmitted = isAdmitted;
    this.#startedAt = startedAt;
    this.#owner = new Owner(options.seed, options.mailbox, options.displayName);
    this.#mailbox = new Mailbox(options.seed);
    this.reset();
  }

  operationOf({ method, path, query }: WireRequest): string | undefined {
    try {
      const { operation } = routeOf(method, path);
      if (operation !== 'messages.list') return operation;
      const isSearch = [...query.keys()].some((name) => name.toLowerCase() === '$search');
      return isSearch ? 'messages.search' : operation;
    } catch (error) {
      if (error instanceof GraphRefusal) return undefined;
      throw error;
    }
  }

  handle(request: WireRequest, call: WireCall): WireAnswer {
    const context = this.#contextOf(request, call, `${call.operation}#${call.n}`);
    return this.#answering(context, () => {
      authenticate(request.headers, call.at, this.#options.accessTokens, this.#isAdmitted);
      const route = routeOf(request.method, request.path);
      return route.operation === 'batch' ? this.#batch(context) : this.#serve(context, route);
    });
  }

  refuse(refusal: Refusal, request: WireRequest, call: WireCall): WireResponse {
    const context = this.#contextOf(request, call, 'refused');
    return refusalAnswer(context, this.#options.seed, faultRefusal(refusal));
  }

  snapshot(): Json {
    return { mailbox: this.#mailbox.snapshot(), throttle: this.#throttle.snapshot() };
  }

  restore(snapshot: unknown): void {
    const { mailbox, throttle } = parseOrThrow(Snapshot, snapshot, 'snapshot of a Graph mock');
    this.#mailbox.restore(mailbox);
    this.#throttle.restore(throttle);
  }

  reset(): void {
    this.#mailbox.clear();
    this.#throttle = new Throttle();
    for (const [index, { thread, hoursAgo, ...known }] of SAMPLE_MESSAGES.entries()) {
      const { attachments, body, subject, importance, from, isRead } = known;
      const message = compose(
        {
          mailbox: this.#mailbox,
          owner: this.#owner,
          key: `sample message ${index}`,
          at: this.#startedAt - hoursAgo * HOUR_MS,
        },
        { body, subject, importance, from, sender: from, isRead, attachments: [...attachments] },
        {
          folder: 'inbox',
          isDraft: false,
          toRecipients: [this.#owner.recipient],
          conversationId: this.#mailbox.conversationId(thread),
        },
      );
      this.#mailbox.write({ kind: 'put', message });
    }
    this.#mailbox.settle(); // they have been there for hours
  }

  /** What can be seen of the mailbox without a call being made. */
  view(): MailboxView {
    return this.#mailbox.view();
  }

  folderId(folder: MailFolder): string {
    return this.#mailbox.folderId(folder);
  }

  #contextOf(request: WireRequest, call: WireCall, key: string): RequestContext {
    return contextOf(request, call, key, this.#options.mailbox);
  }

  #answering(context: RequestContext, act: () => Outcome): WireAnswer {
    const { seed } = this.#options;
    try {
      const { changes, ...response } = act();
      return { ...answer(context, seed, response), ...(changes && { changes }) };
    } catch (error) {
      if (error instanceof GraphRefusal) return refusalAnswer(context, seed, error);
      throw error;
    }
  }

  #batch({ request, call, key }: RequestContext): Outcome {
    return runBatch(request, (step, stepRequest, refusal) => {
      const context = this.#contextOf(stepRequest, call, `${key}/${step}`);
      return this.#answering(context, () => {
        if (refusal) throw refusal;
        return this.#serve(context, routeOf(stepRequest.method, stepRequest.path));
      });
    });
  }

  /** A request of its own, or a step of a batch: both are counted. */
  #serve(context: RequestContext, route: Route): Outcome {
    const { isStale } = context.call;
    this.#throttle.count(context.call);
    if (!this.#owner.isNamed(route.user)) throw noSuchUser(route.user);
    const isWrite = OPERATION_TRAITS[route.operation].isWrite;
    if (isWrite) queryOf(context.request, []);
    return serve({
      mailbox: this.#mailbox,
      view: this.#mailbox.view(isStale && !isWrite),
      owner: this.#owner,
      context,
      route,
    });
  }
}

const HOUR_MS = 3_600_000;

function serve(reading: Reading): Outcome {
  switch (reading.route.operation) {
    case 'me.get':
      return getUser(reading);
    case 'messages.list':
    case 'messages.search':
      return listMessages(reading);
    case 'messages.count':
      return countMessages(reading);
    case 'messages.get':
      return getMessage(reading);
    case 'attachments.list':
      return listAttachments(reading);
    case 'folders.list':
      return listFolders(reading);
    case 'folders.get':
      return getFolder(reading);
    case 'mail.send':
      return sendMail(reading);
    case 'messages.create':
      return createMessage(reading);
    case 'messages.update':
      return updateMessage(reading);
    case 'messages.delete':
      return deleteMessage(reading);
    case 'messages.send':
      return sendDraft(reading);
    case 'messages.reply':
      return respond(reading, 'reply');
    case 'messages.replyAll':
      return respond(reading, 'replyAll');
    case 'messages.forward':
      return respond(reading, 'forward');
    case 'messages.createReply':
      return createResponse(reading, 'reply');
    case 'messages.createReplyAll':
      return createResponse(reading, 'replyAll');
    case 'messages.createForward':
      return createResponse(reading, 'forward');
    case 'messages.move':
      return moveMessage(reading);
    case 'messages.copy':
      return copyMessage(reading);
    case 'batch':
      throw new GraphRefusal(400, 'BadRequest', 'A batch cannot be a step of a batch.');
  }
}

function noSuchUser(user: string): GraphRefusal {
  return new GraphRefusal(404, 'ErrorInvalidUser', `The requested user '${user}' is invalid.`);
}
