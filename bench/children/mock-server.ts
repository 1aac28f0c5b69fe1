import { fileURLToPath } from 'node:url';

/** What this process tells when it listens. */
export interface Listening {
  port: number;
  /** From the call that starts the server to the one that says it listens; everything is loaded by then. */
  startMs: number;
}

/** The vendor's own description, which Prism serves. */
const CONTRACT = fileURLToPath(
  new URL('../../packages/mocks/test/contracts/gohighlevel-contacts.openapi.json', import.meta.url),
);

const STARTERS: Record<string, () => Promise<() => Promise<number>>> = {
  buddy: async () => {
    const {
      createGoHighLevelMock,
      createGraphMailMock,
      createMployerMock,
      sampleContacts,
      startMockServer,
    } = await import('../../packages/mocks/src/index.ts');
    const [contact] = sampleContacts({ seed: 1, count: 1 });
    if (contact?.id !== process.argv[3]) throw new Error(`The sample contact is ${contact?.id}`);
    return async () => {
      const server = await startMockServer({
        mocks: {
          crm: createGoHighLevelMock({ seed: 1, contacts: 1, latency: 'none' }),
          mail: createGraphMailMock(),
          mployer: createMployerMock(),
        },
      });
      return Number(new URL(server.url.crm).port);
    };
  },
  mockttp: async () => {
    const { getLocal } = await import('mockttp');
    return async () => {
      const server = getLocal();
      await server.start();
      const contact = {
        id: process.argv[3],
        locationId: 'x',
        email: 'ada@example.com',
        tags: [],
        customFields: [],
      };
      await server.forGet(`/contacts/${process.argv[3]}`).thenJson(200, { contact });
      return server.port;
    };
  },
  prism: async () => {
    const { getHttpOperationsFromSpec } = await import('@stoplight/prism-http');
    const { createServer } = await import('@stoplight/prism-http-server');
    const { createLogger } = await import('@stoplight/prism-core');
    return async () => {
      const operations = await getHttpOperationsFromSpec(CONTRACT);
      // As `prism mock` sets it up, without its printing.
      const server = createServer(operations, {
        cors: true,
        config: {
          validateRequest: true,
          validateResponse: true,
          checkSecurity: true,
          errors: false,
          upstreamProxy: undefined,
          mock: { dynamic: false },
          isProxy: false,
        },
        components: { logger: createLogger('HTTP', { level: 'silent' }) },
      });
      return Number(new URL(await server.listen(0, '127.0.0.1')).port);
    };
  },
};

// Started by benches/mocks.ts with a name and the id of the contact that will be asked for.
const prepare = STARTERS[process.argv[2] ?? ''];
if (prepare === undefined) throw new Error(`There is no server ${process.argv[2]}`);
const start = await prepare();
const startedAt = performance.now();
const port = await start();
const listening: Listening = { port, startMs: performance.now() - startedAt };
process.send?.(listening);
