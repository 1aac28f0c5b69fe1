import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Clock, ManualClock, parseOrThrow, systemClock } from '@buddy/core';
import { z } from 'zod';
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
import { type SecureMockServer, startMockServer } from '../server/mock-server.ts';
import type { CommandLinePorts } from './command-line.ts';

/** A whole number, as it stands on a command line. */
const Whole = z
  .string()
  .regex(/^\d+$/, { error: 'must be a whole number' })
  .transform((text) => Number(text));

export const ServeOptions = z.strictObject({
  port: Whole.refine((port) => port <= 65_530, { error: 'must be at most 65530' }).default(0),
  seed: z.string().min(1).default('1'),
  faults: z.string().default('none'),
  latency: z.enum(['typical', 'none'], { error: 'must be typical or none' }).default('typical'),
  contacts: Whole.refine((count) => count <= 50_000, { error: 'must be at most 50000' }).default(
    100,
  ),
  clock: z.enum(['real', 'virtual'], { error: 'must be real or virtual' }).default('real'),
  token: z.string().min(1, { error: 'must not be empty' }).optional(),
  printEnv: z.boolean().default(false),
});
type ServeOptions = z.output<typeof ServeOptions>;

/**
 * Serves the three mocks until told to stop.
 * @throws {MockServerError} {InvalidInputError} {FaultRulesError}
 */
export async function serve(options: ServeOptions, ports: CommandLinePorts): Promise<void> {
  const clock = options.clock === 'virtual' ? new ManualClock(systemClock.now()) : systemClock;
  const stopped = ports.untilToldToStop(); // from now on, so that nothing is left open or behind
  const token = options.token ?? randomBytes(24).toString('base64url');
  const mocks = await createMocks(options, clock);
  const server = await startMockServer({ port: options.port, mocks, control: { token, clock } });
  ports.err(
    `buddy-mocks: three mocks are served on this machine only; nothing behind them is real\n`,
  );
  ports.out(options.printEnv ? exports(server, token) : summary(server, token));
  // Whoever waits on a virtual clock has waited long enough.
  await (clock instanceof ManualClock ? clock.run(() => stopped) : stopped);
  await server.close();
}

async function createMocks(options: ServeOptions, clock: Clock) {
  const { seed, latency, contacts } = options;
  const faults = await readFaults(options.faults);
  const [forCrm = faults, forMail = faults, forMployer = faults] = shareFaults(
    faults,
    [GOHIGHLEVEL_OPERATIONS, MSGRAPH_OPERATIONS, MPLOYER_OPERATIONS].map(Object.keys),
  );
  const common = { seed: /^\d+$/.test(seed) ? Number(seed) : seed, latency };
  return {
    gohighlevel: createGoHighLevelMock({ ...common, contacts, faults: forCrm }, { clock }),
    msgraph: createGraphMailMock({ ...common, faults: forMail }, { clock }),
    mployer: createMployerMock({ ...common, faults: forMployer }, { clock }),
  };
}

type Served = Awaited<ReturnType<typeof createMocks>>;
type Server = SecureMockServer<keyof Served>;

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

function summary({ url, httpsUrl, caFile }: Server, token: string): string {
  const names = ['gohighlevel', 'msgraph', 'mployer'] as const;
  return [
    ...names.map((name) => `${name.padEnd(12)} ${url[name]}  ${httpsUrl[name]}`),
    `${'control'.padEnd(12)} ${url.gohighlevel}/__buddy  Authorization: Bearer ${token}`,
    `${'trust'.padEnd(12)} NODE_EXTRA_CA_CERTS=${caFile}`,
    '',
  ].join('\n');
}

function exports({ url, httpsUrl, caFile }: Server, token: string): string {
  return Object.entries({
    DRY_RUN: 'false',
    GOHIGHLEVEL_BASE_URL: url.gohighlevel,
    GOHIGHLEVEL_LOCATION_ID: DEFAULT_LOCATION_ID,
    GOHIGHLEVEL_TOKEN: 'pit-buddy-mocks',
    MSGRAPH_BASE_URL: `${httpsUrl.msgraph}/v1.0`,
    MSGRAPH_ACCESS_TOKEN: 'buddy.mocks.token',
    MPLOYER_BASE_URL: httpsUrl.mployer,
    NODE_EXTRA_CA_CERTS: caFile,
    BUDDY_MOCKS_URL: `${url.gohighlevel}/__buddy`,
    BUDDY_MOCKS_TOKEN: token,
  })
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", String.raw`'\''`)}'\n`)
    .join('');
}
