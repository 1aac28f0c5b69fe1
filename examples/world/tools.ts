import {
  BuddyError,
  type Clock,
  defineTool,
  keyedDraw,
  type Tool,
  type ToolContext,
} from '@buddy/core';
import {
  getGoHighLevelClient,
  getGraphMailClient,
  getMployerClient,
  MployerFilters,
  NewGoHighLevelContact,
  GoHighLevelContactUpdate,
} from '@buddy/mocks';
import { z } from 'zod';
import { traitsOf } from './agents.ts';
import { createMployerSession, type MployerSession } from './mployer-session.ts';
import { type Crm, type Mail, renewedCrm, renewedMail, type Secret } from './renewed-clients.ts';
import { careOf, type TaskTruth } from './truth.ts';

export interface WorldOptions {
  seed: number | string;
  /** What tasks are really like, by id; of others, nothing is known and nothing goes wrong. */
  truth: ReadonlyMap<string, TaskTruth>;
  environment: Readonly<Record<string, string | undefined>>;
  /** Secrets that may become others while the run goes on. Default: those of the environment, once and for all. */
  secrets?: Secrets | undefined;
}

export interface Secrets {
  gohighlevel: Secret;
  msgraph: Secret;
}

/** Sample contacts in the CRM at the start; the shipped data updates them. */
export const SAMPLE_CONTACTS = 2_000;

/** The action of tasks that name none, as those of the original system do. */
export const DEFAULT_ACTION = 'example.tasks.do';

/** The systems that agents act on, and how they really act. */
export interface World {
  /**
   * What agents do, over the three providers: each takes the time of its work, and sometimes gets the input wrong, which
   * the provider then refuses. Success is never decided here.
   */
  tools: readonly Tool[];
  /** The same over the same providers for programs, which do what is written: the work was to write them. */
  programTools: readonly Tool[];
  work: Work;
}

/** Does the work of a task, and hands on the input as it came out of it. */
type Work = <Input>(
  input: Input,
  slip: (input: Input) => Input,
  context: ToolContext,
) => Promise<Input>;

export function createWorld(
  { seed, truth, environment, secrets }: WorldOptions,
  clock: Clock,
): World {
  const crm = (own = {}) =>
    getGoHighLevelClient(
      { ...environment, ...own },
      { clock, mock: { seed, contacts: SAMPLE_CONTACTS } },
    );
  const mail = (own = {}) =>
    getGraphMailClient({ ...environment, ...own }, { clock, mock: { seed } });
  const providers: Providers = {
    mployer: createMployerSession(getMployerClient(environment, { clock, mock: { seed } })),
    crm: secrets
      ? renewedCrm(secrets.gohighlevel, (token) => crm({ GOHIGHLEVEL_TOKEN: token }))
      : crm(),
    mail: secrets
      ? renewedMail(secrets.msgraph, (token) => mail({ MSGRAPH_ACCESS_TOKEN: token }))
      : mail(),
  };
  const work: Work = async (input, slip, context) => {
    const task = truth.get(context.taskId ?? '');
    if (!task) return input;
    const traits = traitsOf(context.actor.id);
    await clock.sleep(task.workMs / traits.speed, context.signal);
    const isCareful = keyedDraw(seed, 'care', task.taskId) < careOf(traits, task);
    return isCareful ? input : slip(input);
  };
  return {
    tools: [...providerTools(providers, work), doTask(seed)],
    programTools: providerTools(providers, async (input) => input),
    work,
  };
}

interface Providers {
  mployer: MployerSession;
  crm: Crm;
  mail: Mail;
}

function providerTools({ mployer, crm, mail }: Providers, work: Work): Tool[] {
  const searchProspects = defineTool({
    name: 'mployer.contacts.search',
    description: 'Finds people at companies that fit the filters.',
    tier: 1,
    effect: 'pure',
    input: MployerFilters,
    output: z.object({ found: z.int() }),
    execute: async (filters, context) => {
      const { signal } = context;
      const asked = await work(
        filters,
        ({ state, ...rest }) => ({ ...rest, state: `${state}.` }),
        context,
      );
      const { page } = await mployer.searchContacts(asked, { signal });
      return { found: page.totalResults };
    },
  });

  const createContact = defineTool({
    name: 'gohighlevel.contacts.create',
    description: 'Creates a contact in the CRM.',
    tier: 2,
    effect: 'once',
    input: NewGoHighLevelContact,
    output: z.object({ id: z.string() }),
    execute: async (contact, context) => {
      const { signal, idempotencyKey } = context;
      const typed = await work(contact, withoutAt, context);
      const { id } = await crm.createContact(typed, { signal, idempotencyKey });
      return { id };
    },
    undo: async (_input, { id }, { signal }) => crm.deleteContact(id, { signal }),
    reconcile: async ({ email }) => {
      const [contact] = await crm.searchContact({ email });
      return contact ? { happened: true, output: { id: contact.id } } : { happened: false };
    },
  });

  const updateContact = defineTool({
    name: 'gohighlevel.contacts.update',
    description: 'Changes fields of a contact in the CRM.',
    tier: 2,
    effect: 'pure',
    input: z.strictObject({ contactId: z.string(), changes: GoHighLevelContactUpdate }),
    output: z.object({ id: z.string() }),
    execute: async (request, context) => {
      const { signal } = context;
      const { contactId, changes } = await work(
        request,
        (right) => ({ ...right, contactId: right.contactId.slice(1) }),
        context,
      );
      const { id } = await crm.updateContact(contactId, changes, { signal });
      return { id };
    },
  });

  const findContact = defineTool({
    name: 'gohighlevel.contacts.find',
    description: 'Looks a contact up in the CRM by e-mail address.',
    tier: 1,
    effect: 'pure',
    input: z.strictObject({ email: z.string() }),
    output: z.object({ ids: z.array(z.string()) }),
    execute: async (request, context) => {
      const { signal } = context;
      const { email } = await work(request, () => ({ email: '' }), context);
      const contacts = await crm.searchContact({ email }, { signal });
      return { ids: contacts.map(({ id }) => id) };
    },
  });

  const sendMail = defineTool({
    name: 'msgraph.mail.send',
    description: 'Sends a mail.',
    tier: 3,
    effect: 'once',
    input: z.strictObject({ to: z.string(), subject: z.string(), text: z.string() }),
    output: z.object({ subject: z.string() }),
    execute: async (message, context) => {
      const { signal, idempotencyKey } = context;
      const { to, subject, text } = await work(
        message,
        (right) => ({ ...right, to: right.to.replace('@', ' at ') }),
        context,
      );
      const toRecipients = [{ emailAddress: { address: to } }];
      const body = { contentType: 'text', content: text } as const;
      await mail.sendEmail({ toRecipients, subject, body }, { signal, idempotencyKey });
      return { subject };
    },
    // The provider gives no id: the subject, which bears the task's reference, is what the message is known by.
    reconcile: async ({ to, subject }) => {
      const { messages } = await mail.getMessages({
        filter: `subject eq '${subject.replaceAll("'", "''")}'`,
      });
      const isSent = messages.some(({ toRecipients }) =>
        toRecipients.some(({ emailAddress }) => emailAddress.address === to),
      );
      return isSent ? { happened: true, output: { subject } } : { happened: false };
    },
  });

  const searchMail = defineTool({
    name: 'msgraph.mail.search',
    description: 'Finds messages in the mailbox.',
    tier: 1,
    effect: 'pure',
    input: z.strictObject({ query: z.string() }),
    output: z.object({ found: z.int() }),
    execute: async (request, context) => {
      const { signal } = context;
      const { query } = await work(request, () => ({ query: '' }), context);
      const messages = await mail.searchMessages(query, { limit: 25 }, { signal });
      return { found: messages.length };
    },
  });

  return [searchProspects, createContact, updateContact, findContact, sendMail, searchMail];
}

/** For tasks that say only how likely they are to succeed. Harmless: it does nothing at all. */
function doTask(seed: number | string) {
  return defineTool({
    name: DEFAULT_ACTION,
    description: 'Stands for a task of which only the prediction is known.',
    tier: 1,
    effect: 'pure',
    input: z.strictObject({ taskId: z.string(), successProbability: z.number() }),
    output: z.object({ done: z.literal(true) }),
    execute: async ({ taskId, successProbability }) => {
      if (keyedDraw(seed, DEFAULT_ACTION, taskId) < successProbability)
        return { done: true as const };
      throw new PredictedFailureError(
        `Task ${taskId} came out as a failure, as predictions with ${successProbability} do`,
      );
    },
  });
}

class PredictedFailureError extends BuddyError {
  readonly code = 'EXAMPLES_PREDICTED_FAILURE';
}

function withoutAt<Contact extends { email?: string | undefined }>(contact: Contact): Contact {
  return { ...contact, email: contact.email?.replace('@', ' at ') };
}
