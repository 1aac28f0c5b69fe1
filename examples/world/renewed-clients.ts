import type { GoHighLevelClient, GraphMailClient } from '@buddy/mocks';

/** What agents do in the CRM. */
export type Crm = Pick<
  GoHighLevelClient,
  'createContact' | 'deleteContact' | 'searchContact' | 'updateContact'
>;
/** What agents do in the mailbox. */
export type Mail = Pick<GraphMailClient, 'getMessages' | 'searchMessages' | 'sendEmail'>;

/** The secret that is good now. Asked for each call, for it may be another by then. */
export type Secret = () => Promise<string>;

/** A CRM whose client is made anew when its secret has become another. */
export function renewedCrm(secret: Secret, make: (secret: string) => Crm): Crm {
  const client = latest(secret, make);
  return {
    createContact: async (...args) => (await client()).createContact(...args),
    deleteContact: async (...args) => (await client()).deleteContact(...args),
    searchContact: async (...args) => (await client()).searchContact(...args),
    updateContact: async (...args) => (await client()).updateContact(...args),
  };
}

/** A mailbox, likewise. */
export function renewedMail(secret: Secret, make: (secret: string) => Mail): Mail {
  const client = latest(secret, make);
  return {
    getMessages: async (...args) => (await client()).getMessages(...args),
    searchMessages: async (...args) => (await client()).searchMessages(...args),
    sendEmail: async (...args) => (await client()).sendEmail(...args),
  };
}

function latest<Client>(secret: Secret, make: (secret: string) => Client): () => Promise<Client> {
  let known: { secret: string; client: Client } | undefined;
  return async () => {
    const now = await secret();
    if (known?.secret !== now) known = { secret: now, client: make(now) };
    return known.client;
  };
}
