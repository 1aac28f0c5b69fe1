import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, parseOrThrow, silentLogger } from '@buddy/core';
import { z } from 'zod';
import { createThrowawayCertificate } from '../tls/throwaway-certificate.ts';
import type { Mock } from '../wire/exchange.ts';
import { type ControlOptions, createControl, isControl } from './control.ts';
import { MockServerError } from './errors.ts';
import { type Listener, listen } from './listener.ts';
import { type FetchHandler, serveRequest } from './serve-request.ts';

const ServerOptions = z.strictObject({
  /** The first port: HTTP for each mock in turn, then HTTPS for each. 0 takes whatever is free. */
  port: z.int().min(0).max(65_535).default(0),
  /** Whether each mock is served over HTTPS too, with a certificate made on the spot. */
  https: z.boolean().default(true),
  /** Longer bodies are refused with 413. */
  maxBodyBytes: z
    .int()
    .positive()
    .default(10 * 2 ** 20),
  /** How long requests under way may take when the server closes, in ms. */
  graceMs: z.int().nonnegative().default(5_000),
});

export type MockServerInput<Name extends string> = z.input<typeof ServerOptions> & {
  /** Each gets ports of its own, as each provider has a host of its own. */
  readonly mocks: Readonly<Record<Name, Mock>>;
  /** Lets whoever knows the token steer the mocks under `/__buddy`, at any of the ports. Nobody, when left out. */
  readonly control?: ControlOptions;
};

export interface MockServer<Name extends string> {
  /** `http://127.0.0.1:port`, by the name of the mock. */
  readonly url: Readonly<Record<Name, string>>;
  /** Waits for the requests under way, `graceMs` at most. */
  close: () => Promise<void>;
}

export interface SecureMockServer<Name extends string> extends MockServer<Name> {
  /** `https://localhost:port`, by the name of the mock. */
  readonly httpsUrl: Readonly<Record<Name, string>>;
  /** Whom to trust, as PEM: `new Agent({ connect: { ca } })`. */
  readonly ca: string;
  /** The same in a file, for `NODE_EXTRA_CA_CERTS`; gone when the server is closed. */
  readonly caFile: string;
}

/**
 * Serves mocks over HTTP and HTTPS, on this machine only.
 * @throws {InvalidInputError} When an option does not fit. @throws {MockServerError} When a port is taken or beyond 65535, or no file can be written for the certificate.
 * @example
 * const server = await startMockServer({ mocks: { crm: createGoHighLevelMock(), mail: createGraphMailMock() } });
 * await fetch(`${server.url.crm}/contacts/`, { headers: { version: '2021-07-28', authorization: 'Bearer pit-1' } });
 * await server.close();
 */
export function startMockServer<Name extends string>(
  input: MockServerInput<Name> & { https: false },
  deps?: { logger?: Logger },
): Promise<MockServer<Name>>;
export function startMockServer<Name extends string>(
  input: MockServerInput<Name> & { https?: true },
  deps?: { logger?: Logger },
): Promise<SecureMockServer<Name>>;
export async function startMockServer<Name extends string>(
  { mocks, control, ...input }: MockServerInput<Name>,
  { logger = silentLogger }: { logger?: Logger } = {},
): Promise<MockServer<Name>> {
  const options = parseOrThrow(ServerOptions, input, 'options of startMockServer');
  const certificate = options.https ? createThrowawayCertificate() : undefined;
  const steer = control && createControl(mocks, control);
  const listeners: Listener[] = [];
  const close = async (graceMs = options.graceMs) => {
    await Promise.all(listeners.map((listener) => listener.close(graceMs)));
  };
  const plainPorts = new Map<string, number>();
  const securePorts = new Map<string, number>();
  const open = async (name: Name, isSecure: boolean) => {
    const mock = mocks[name];
    const fetch: FetchHandler = (request) =>
      steer && isControl(request) ? steer(request) : mock.fetch(request);
    const listener = await listen(
      options.port === 0 ? 0 : options.port + listeners.length,
      (incoming, outgoing) => void serveRequest(incoming, outgoing, fetch, { ...options, logger }),
      isSecure ? certificate : undefined,
    );
    listeners.push(listener);
    (isSecure ? securePorts : plainPorts).set(name, listener.port);
  };
  const names = namesOf(mocks);
  let caFile: TemporaryFile | undefined;
  try {
    for (const name of names) await open(name, false);
    for (const name of certificate ? names : []) await open(name, true);
    if (certificate) caFile = await writeToTemporaryFile('ca.pem', certificate.ca);
  } catch (error) {
    await close(0);
    throw error;
  }
  const url = recordOf(names, (name) => `http://127.0.0.1:${plainPorts.get(name)}`);
  logger.info(url, `Mocks listen on this machine only; nothing behind them is real`);
  if (certificate === undefined || caFile === undefined) return { url, close };
  const file = caFile;
  const secure: SecureMockServer<Name> = {
    url,
    httpsUrl: recordOf(names, (name) => `https://localhost:${securePorts.get(name)}`),
    ca: certificate.ca,
    caFile: file.path,
    close: async () => {
      await close();
      await file.remove();
    },
  };
  return secure;
}

interface TemporaryFile {
  readonly path: string;
  remove: () => Promise<void>;
}

async function writeToTemporaryFile(name: string, text: string): Promise<TemporaryFile> {
  let folder: string | undefined;
  const remove = async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  };
  try {
    folder = await mkdtemp(join(tmpdir(), 'buddy-mocks-'));
    const path = join(folder, name);
    await writeFile(path, text);
    return { path, remove };
  } catch (cause) {
    await remove();
    const message = `The certificate cannot be written to ${tmpdir()}; let TMPDIR name a folder that can be written to, or set https: false`;
    throw new MockServerError(message, { cause });
  }
}

function namesOf<Name extends string>(record: Readonly<Record<Name, unknown>>): Name[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what TypeScript knows of keys, and forgets
  return Object.keys(record) as Name[];
}

function recordOf<Name extends string>(
  names: readonly Name[],
  valueOf: (name: Name) => string,
): Readonly<Record<Name, string>> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all names are in it
  return Object.fromEntries(names.map((name) => [name, valueOf(name)])) as Record<Name, string>;
}
