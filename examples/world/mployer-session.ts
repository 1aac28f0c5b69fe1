import type { CallOptions, MployerClient, MployerFilters, MployerSearchPage } from '@buddy/mocks';

/** Mployer behind a session that is opened when it is needed, and again when it has expired. */
export interface MployerSession {
  searchContacts(filters: MployerFilters, options: CallOptions): Promise<MployerSearchPage>;
}

const LOGIN_ATTEMPTS = 5;

export function createMployerSession(client: MployerClient): MployerSession {
  let session: Promise<unknown> | undefined;

  /** One login for all who wait for one. */
  function open(): Promise<unknown> {
    session ??= login().catch((error: unknown) => {
      session = undefined;
      throw error;
    });
    return session;
  }

  /** A login is refused now and then without a reason; nothing happens twice when it is repeated. */
  async function login(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await client.login('agents@example.com', 'not-a-secret');
        return;
      } catch (error) {
        if (attempt === LOGIN_ATTEMPTS || !isRefused(error)) throw error;
      }
    }
  }

  return {
    searchContacts: async (filters, options) => {
      await open();
      try {
        return await client.searchContacts(filters, options);
      } catch (error) {
        if (!isRefused(error)) throw error;
        session = undefined;
        await open();
        return client.searchContacts(filters, options);
      }
    },
  };
}

function isRefused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'MOCKS_AUTH_FAILED';
}
