import { execFile } from 'node:child_process';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import { defineFault } from '../define-fault.ts';
import { FaultLeftBehindError, FaultUnavailableError } from '../errors.ts';
import { AVAILABLE, type Capability, type FaultHost } from '../host.ts';

const Destination = z
  .string()
  .regex(/^(?:default|[0-9a-fA-F:.]+(?:\/\d{1,3})?)$/, 'must be `default` or like 10.0.0.0/24');
const Device = z.string().regex(/^[\w.-]{1,15}$/, 'must be the name of a network device');

const Note = z.strictObject({
  /** `net:[4026532180]`: where the fault is. */
  namespace: z.string(),
  device: Device.nullable(),
  /** As `ip route` shows and takes them. */
  routes: z.array(z.array(z.string())),
});
type Note = z.output<typeof Note>;

/**
 * A route is gone (`routeLost`), or a network device is down (`linkDown`), in a network namespace of the process's own. Run the
 * test in a child under `unshare --map-root-user --net`; the machine's own network is never touched.
 * @example
 * await using fault = await kit.inject(netns, { is: 'routeLost', destination: '10.77.1.0/24' });
 */
export const netns = defineFault({
  kind: 'netns',
  description: 'A route is gone, or a network device is down, in a network namespace of our own.',
  options: z.discriminatedUnion('is', [
    z.strictObject({ is: z.literal('routeLost'), destination: Destination }),
    z.strictObject({ is: z.literal('linkDown'), device: Device }),
  ]),
  note: Note,
  caps: { seconds: 120, bytes: 0 },
  capability: isInOwnNamespace,
  open: async (options) => {
    const namespace = await ownNamespace();
    if (options.is === 'linkDown') {
      const { device } = options;
      const routes = (await routesOf('dev', device)).map((route) => [...route, 'dev', device]);
      const note: Note = { namespace, device, routes };
      return {
        note,
        isPresent: async () => !(await isUp(device)),
        apply: async () => void (await ip('link', 'set', 'dev', device, 'down')),
        revert: () => putBack(note),
      };
    }
    const { destination } = options;
    const note: Note = { namespace, device: null, routes: await routesOf('exact', destination) };
    return {
      note,
      isPresent: async () => (await routesOf('exact', destination)).length === 0,
      apply: async () => {
        for (const route of note.routes) await ip('route', 'del', ...route);
      },
      revert: () => putBack(note),
    };
  },
  recover: async (note) => {
    if (note.namespace === (await ownNamespace())) return putBack(note);
    if (!(await isAlive(note.namespace))) return undefined; // and what was broken in it went with it
    throw new FaultLeftBehindError(
      `The fault is in the network namespace ${note.namespace}: recover from there (nsenter --net).`,
    );
  },
  remains: async ({ namespace, device, routes }) => {
    if (namespace !== (await ownNamespace())) return isAlive(namespace);
    if (device !== null && !(await isUp(device))) return true;
    const there = new Set((await routesOf()).map((route) => route[0]));
    return routes.some(([destination]) => !there.has(destination));
  },
});

/** Bit of CAP_NET_ADMIN in a capability set. */
const NET_ADMIN = 12n;
/** How the user ids of the machine's own user namespace are mapped: all of them, to themselves. */
const INITIAL_UID_MAP = /^\s*0\s+0\s+4294967295\s*$/;

async function isInOwnNamespace(host: FaultHost): Promise<Capability> {
  if (host.platform !== 'linux') return unavailable('network namespaces are of Linux');
  if ((await host.program('ip')) === undefined) {
    return unavailable('there is no `ip` (iproute2) in the PATH');
  }
  const run = 'run it in a child under `unshare --map-root-user --net`';
  const status = await readFile('/proc/self/status', 'utf8');
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  if (((effective >> NET_ADMIN) & 1n) === 0n) {
    return unavailable(`this process may not change its network; ${run}`);
  }
  const first = await readlink('/proc/1/ns/net').catch(() => undefined);
  const isOwn =
    first === undefined
      ? !INITIAL_UID_MAP.test(await readFile('/proc/self/uid_map', 'utf8'))
      : first !== (await ownNamespace());
  return isOwn ? AVAILABLE : unavailable(`this may be the machine's own network; ${run}`);
}

function unavailable(reason: string): Capability {
  return { is: 'unavailable', reason };
}

async function putBack({ device, routes }: Note): Promise<void> {
  if (device !== null) await ip('link', 'set', 'dev', device, 'up');
  for (const route of routes) await ip('route', 'replace', ...route);
}

/** What `ip` shows of a route's state; it does not take it back. */
const STATES: ReadonlySet<string> = new Set(['linkdown', 'dead']);

/** Routes of the main table, each as the arguments that make it anew. */
async function routesOf(...selector: string[]): Promise<string[][]> {
  const shown = await ip('route', 'show', ...selector);
  const lines = shown.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) =>
    line
      .trim()
      .split(/\s+/)
      .filter((word) => !STATES.has(word)),
  );
}

const LinkList = z.array(z.object({ flags: z.array(z.string()) })).min(1);

async function isUp(device: string): Promise<boolean> {
  const [link] = LinkList.parse(JSON.parse(await ip('-json', 'link', 'show', 'dev', device)));
  return link?.flags.includes('UP') === true;
}

async function ip(...args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('ip', args, { timeout: 5_000 });
    return stdout;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new FaultUnavailableError('netns', `ip ${args.join(' ')}: ${why}`);
  }
}

function ownNamespace(): Promise<string> {
  return readlink('/proc/self/ns/net');
}

/** Whether a process is in the namespace, or a name holds it. */
async function isAlive(namespace: string): Promise<boolean> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const seen = await Promise.all(
    pids.map((pid) => readlink(`/proc/${pid}/ns/net`).catch(() => undefined)), // ended, or another's
  );
  if (seen.includes(namespace)) return true;
  const names = await readdir('/run/netns').catch(() => []);
  const inodes = await Promise.all(
    names.map(async (name) => (await stat(`/run/netns/${name}`).catch(() => undefined))?.ino),
  );
  return inodes.some((inode) => `net:[${inode}]` === namespace);
}
