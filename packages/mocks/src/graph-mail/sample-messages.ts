import type { IncomingAttachment } from './incoming-message.ts';
import type { Importance, ItemBody } from './message-fields.ts';
import type { StoredRecipient } from './stored-message.ts';

/** What is in the mailbox at first, oldest first. */
export interface SampleMessage {
  /** Messages of one thread share it. */
  thread: string;
  from: StoredRecipient;
  subject: string;
  body: ItemBody;
  importance: Importance;
  isRead: boolean;
  attachments: readonly IncomingAttachment[];
  hoursAgo: number;
}

const PRIYA = recipient('Priya Raman', 'priya.raman@example.org');

export const SAMPLE_MESSAGES: readonly SampleMessage[] = [
  {
    thread: 'newsletter',
    from: recipient('Benefits Weekly', 'news@example.net'),
    subject: 'Benefits Weekly: what changes next year',
    body: html('<h1>Benefits Weekly</h1><p>Five changes to know before you renew.</p>'),
    importance: 'low',
    isRead: true,
    attachments: [],
    hoursAgo: 72,
  },
  {
    thread: 'proposal',
    from: PRIYA,
    subject: 'Question about the proposal',
    body: text('Hello,\n\ndoes the quote cover part-time staff as well?\n\nPriya'),
    importance: 'normal',
    isRead: true,
    attachments: [],
    hoursAgo: 30,
  },
  {
    thread: 'census',
    from: recipient('Marcus Bell', 'marcus.bell@example.com'),
    subject: 'Employee census attached',
    body: text('As promised, the census of our 48 employees.\n\nMarcus'),
    importance: 'normal',
    isRead: false,
    attachments: [
      {
        name: 'census.csv',
        contentType: 'text/csv',
        contentBytes: Buffer.from('id,hired,hours\n1,2019-03-01,40\n').toString('base64'),
      },
    ],
    hoursAgo: 20,
  },
  {
    thread: 'proposal',
    from: PRIYA,
    subject: 'RE: Question about the proposal',
    body: text('One more thing: we need the answer before Friday.\n\nPriya'),
    importance: 'normal',
    isRead: false,
    attachments: [],
    hoursAgo: 4,
  },
  {
    thread: 'renewal',
    from: recipient('Dana Whitfield', 'dana.whitfield@example.com'),
    subject: 'Renewal decision needed today',
    body: html('<p>The carrier holds the rate until <b>5 pm</b>. Please confirm.</p>'),
    importance: 'high',
    isRead: false,
    attachments: [],
    hoursAgo: 1,
  },
];

function recipient(name: string, address: string): StoredRecipient {
  return { emailAddress: { name, address } };
}

function text(content: string): ItemBody {
  return { contentType: 'text', content };
}

function html(content: string): ItemBody {
  return { contentType: 'html', content };
}
