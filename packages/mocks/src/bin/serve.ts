import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { acceleratedClock, type Clock, ManualClock, parseOrThrow, systemClock } from '@buddy/core';
import { z } from 'zod';
import type { Provider } from '../errors.ts';
import { FaultRulesError } from '../faults/errors.ts';
import { FAULT_PROFILES, Faults } from '../faults/fault-rule.ts';
import { shareFaults } from '../faults/share-faults.ts';
import { createGoHighLevelMock } from '../gohighlevel/mock.ts';
import { OPERATIONS as GOHIGHLEVEL_OPERATIONS } from '../gohighlevel/operations.ts';
import { DEFAULT_LOCATION_ID } from '../gohighlevel/sample-contacts.ts';
import { createGraphMailMock } from '../graph-mail/mock.ts';
import { OPERATION_TRAITS as MSGRAPH_OPERATIONS } from '../graph-mail/operation-traits.ts';
import { createMployerMock } from '../mployer/mock.ts';
import { OPERATIONS as MPLOYER_OPERATIONS } from '../mployer/operations.ts';
import { type MockServer, type SecureMockServer, startMockServer } from '../server/mock-server.ts';
import type { Mock } from '../wire/exchange.ts';
import { admittedBy } from './admitted-tokens.ts';
import type { CommandLinePorts } from './command-line.ts';

/** A whole number, as it stands on a command line. */
const Whole = z
  .string()
  .regex(/^\d+$/, { error: 'must be a whole number' })
  .transform((text) => Number(text));

const PROVIDERS = ['gohighlevel', 'msgraph', 'mployer'] as const satisfies readonly Provider[];

export const ServeOptions = z.strictObject({
  port: Whole.refine((port) => port <= 65_530, { error: 'must be at most 65530' }).default(0),
  seed: z.string().min(1).default('1'),
  faults: z.string().default('none'),
  latency: z.enum(['typical', 'none'], { error: 'must be typical or none' }).default('typical'),
  contacts: Whole.refine((count) => count <= 50_000, { error: 'must be at most 50000' }).default(
    100,
  ),
  clock: z.enum(['real', 'virtual'], { error: 'must be real or virtual' }).default('real'),
  speed: Whole.refine((speed) => speed >= 1 && speed <= 1_000, {
    error: 'must be from 1 to 1000',
  }).default(1),
  only: z.enum(PROVIDERS, { error: `must be one of ${PROVIDERS.join(', ')}` }).optional(),
  plain: z.boolean().default(false),
  admit: z.string().min(1, { error: 'must be a file' }).optional(),
  token: z.string().min(1, { error: 'must not be empty' }).optional(),
  printEnv: z.boolean().default(false),
});
export type ServeOptions = z.output<typeof ServeOptions>;

/**
 * Serves the mocks until told to stop.
 * @throws {MockServerError} {InvalidInputError} {FaultRulesError} {AdmittedTokensError}
 */
export async function serve(options: ServeOptions, ports: CommandLinePorts): Promise<void> {
  const clock = clockOf(options);
  const stopped = ports.untilToldToStop(); // from now on, so that nothing is left open or behind
  const token = options.token ?? randomBytes(24).toString('base64url');
  const mocks = await createMocks(options, clock);
  const input = { port: options.port, mocks, control: { token, clock } };
  const server = options.plain
    ? await startMockServer({ ...input, https: false })
    : await startMockServer(input);
  const [one] = Object.keys(mocks).length === 1 ? Object.keys(mocks) : [];
  ports.err(
    `buddy-mocks: ${one ?? 'three mocks'} ${one === undefined ? 'are' : 'is'} served on this machine only; nothing behind ${one === undefined ? 'them' : 'it'} is real\n`,
  );
  ports.out(options.printEnv ? exports(server, token) : summary(server, token));
  // Whoever waits on a virtual clock has waited long enough.
  await (clock instanceof ManualClock ? clock.run(() => stopped) : stopped);
  await server.close();
}

function clockOf({ clock, speed }: ServeOptions): Clock {
  if (clock === 'virtual') return new ManualClock(systemClock.now());
  return speed === 1 ? systemClock : acceleratedClock(speed);
}

async function createMocks(options: ServeOptions, clock: Clock): Promise<Record<string, Mock>> {
  const { seed, latency, contacts, only, admit } = options;
  const faults = await readFaults(options.faults);
  const [forCrm = faults, forMail = faults, forMployer = faults] = shareFaults(
    faults,
    [GOHIGHLEVEL_OPERATIONS, MSGRAPH_OPERATIONS, MPLOYER_OPERATIONS].map(Object.keys),
  );
  const common = { seed: /^\d+$/.test(seed) ? Number(seed) : seed, latency };
  const ports = { clock, ...(admit !== undefined && { isAdmitted: admittedBy(admit) }) };
  const make = {
    gohighlevel: () => createGoHighLevelMock({ ...common, contacts, faults: forCrm }, ports),
    msgraph: () => createGraphMailMock({ ...common, faults: forMail }, ports),
    mployer: () => createMployerMock({ ...common, faults: forMployer }, { clock }),
  };
  const wanted = only === undefined ? PROVIDERS : [only];
  return Object.fromEntries(wanted.map((name) => [name, make[name]()]));
}

type Server = MockServer<string> | SecureMockServer<string>;

async function readFaults(given: string): Promise<Faults> {
  const profile = z.enum(FAULT_PROFILES).safeParse(given);
  if (profile.success) return profile.data;
  let text;
  try {
    text = await readFile(given, 'utf8');
  } catch (cause) {
    throw new FaultRulesError(
      `--faults ${given} is no file that can be read, and none of ${FAULT_PROFILES.join(', ')}`,
      { cause },
    );
  }
  let rules: unknown;
  try {
    rules = JSON.parse(text);
  } catch (cause) {
    throw new FaultRulesError(`--faults ${given} is not JSON: ${String(cause)}`, { cause });
  }
  return parseOrThrow(Faults, rules, `fault rules in ${given}`);
}

function summary(server: Server, token: string): string {
  const { url } = server;
  const httpsUrl = 'httpsUrl' in server ? server.httpsUrl : {};
  const names = PROVIDERS.filter((name) => url[name] !== undefined);
  const [first] = names.flatMap((name) => url[name] ?? []);
  return [
    ...names.map((name) => `${name.padEnd(12)} ${url[name]}  ${httpsUrl[name] ?? ''}`.trimEnd()),
    `${'control'.padEnd(12)} ${first}/__buddy  Authorization: Bearer ${token}`,
    ...('caFile' in server ? [`${'trust'.padEnd(12)} NODE_EXTRA_CA_CERTS=${server.caFile}`] : []),
    '',
  ].join('\n');
}

function exports(server: Server, token: string): string {
  const { url } = server;
  const { msgraph, mployer } = 'httpsUrl' in server ? server.httpsUrl : url;
  const [first] = PROVIDERS.flatMap((name) => url[name] ?? []);
  return Object.entries({
    DRY_RUN: 'false',
    ...(url['gohighlevel'] !== undefined && {
      GOHIGHLEVEL_BASE_URL: url['gohighlevel'],
      GOHIGHLEVEL_LOCATION_ID: DEFAULT_LOCATION_ID,
      GOHIGHLEVEL_TOKEN: 'pit-buddy-mocks',
    }),
    ...(msgraph !== undefined && {
      MSGRAPH_BASE_URL: `${msgraph}/v1.0`,
      MSGRAPH_ACCESS_TOKEN: 'buddy.mocks.token',
    }),
    ...(mployer !== undefined && { MPLOYER_BASE_URL: mployer }),
    ...('caFile' in server && { NODE_EXTRA_CA_CERTS: server.caFile }),
    BUDDY_MOCKS_URL: `${first}/__buddy`,
    BUDDY_MOCKS_TOKEN: token,
  })
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", String.raw`'\''`)}'\n`)
    .join('');
}
