import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { childrenOf } from '../adapters/model-server/child-processes.ts';
import { fullName, ollamaApi } from '../adapters/model-server/ollama-api.ts';
import { isAlive } from '../adapters/process/proc.ts';
import { sendSignal } from '../adapters/process/send-signal.ts';
import type { ProcessIdentity } from '../resource/adapters/service.ts';
import { defineFault } from './define-fault.ts';
import { FaultWitnessError } from './errors.ts';
import { AVAILABLE, type Capability, type FaultHost } from './host.ts';
import { LoopbackHost } from './loopback.ts';

const CAPS = { seconds: 60, bytes: 0 };
const ANSWER_MS = 500;

const Identity = z.strictObject({ pid: z.int().positive(), startTime: z.string() });
const Url = z.url({ protocol: /^https?$/ }).refine((url) => {
  const host = new URL(url).hostname.replaceAll(/^\[|\]$/g, '');
  return LoopbackHost.safeParse(host).success;
}, 'must be on this machine. Faults never touch others');
const Target = {
  /** Of a server with Ollama's API: a real one, or a fake. */
  url: Url,
  /** The process of the server. */
  identity: Identity,
  model: z.string().min(1),
};

const needsProc = async (host: FaultHost): Promise<Capability> =>
  (await host.hasProc())
    ? AVAILABLE
    : { is: 'unavailable', reason: 'there is no /proc to find what computes by' };

/** The server is killed. */
const down = defineFault({
  kind: 'fakeOllamaDown',
  description: 'A model server is gone.',
  options: z.strictObject(Target),
  note: z.strictObject({ url: z.string() }),
  caps: CAPS,
  lasting: 'a process that was killed is not revived: its supervisor starts another',
  capability: () => AVAILABLE,
  open: async ({ url, identity }) => ({
    note: { url },
    isPresent: async (signal) => !(await answers(url, signal)),
    apply: async () => {
      await expectAlive(identity);
      sendSignal(identity.pid, 'SIGKILL');
    },
    revert: async () => undefined,
  }),
  recover: async () => undefined,
});

/** What computes stands still: the server answers, lists its models, and no token comes. */
const stuck = defineFault({
  kind: 'fakeOllamaStuck',
  description: 'A model server answers and generates nothing.',
  options: z.strictObject({ ...Target, silentMs: z.number().positive().default(300) }),
  note: z.strictObject({ runners: z.array(Identity) }),
  caps: CAPS,
  capability: needsProc,
  open: async ({ url, identity, model, silentMs }) => {
    const runners = await runnersOf(identity);
    return {
      note: { runners },
      isPresent: async (signal) =>
        (await answers(url, signal)) && (await tokenMs(url, model, silentMs, signal)) === undefined,
      apply: async () => signalAll(runners, 'SIGSTOP'),
      revert: () => signalAll(runners, 'SIGCONT'),
    };
  },
  recover: ({ runners }) => signalAll(runners, 'SIGCONT'),
});

/** A model is not in memory any more. */
const unloaded = defineFault({
  kind: 'fakeOllamaUnloaded',
  description: 'A model server has a model in memory no more.',
  options: z.strictObject(Target),
  note: z.strictObject({ url: z.string(), model: z.string() }),
  caps: CAPS,
  capability: () => AVAILABLE,
  open: async ({ url, model }) => ({
    note: { url, model },
    isPresent: (signal) => isUnloaded({ url, model }, signal),
    apply: (signal) => ollamaApi(url).keep(fullName(model), 0, 0, signal),
    revert: (signal) => load({ url, model }, signal),
  }),
  recover: (note, signal) => load(note, signal),
  remains: isUnloaded,
});

/** What computes stands still most of the time: tokens come late. */
const slow = defineFault({
  kind: 'fakeOllamaSlow',
  description: 'A model server generates slowly.',
  options: z.strictObject({ ...Target, delayMs: z.number().min(50).max(10_000).default(400) }),
  note: z.strictObject({ runners: z.array(Identity) }),
  caps: CAPS,
  capability: needsProc,
  open: async ({ url, identity, model, delayMs }) => {
    const runners = await runnersOf(identity);
    const ended = new AbortController();
    const slowDown = async () => {
      while (!ended.signal.aborted) {
        await signalAll(runners, 'SIGSTOP');
        await sleep(delayMs, undefined, { signal: ended.signal });
        await signalAll(runners, 'SIGCONT');
        await sleep(delayMs / 20, undefined, { signal: ended.signal });
      }
    };
    return {
      note: { runners },
      isPresent: async (signal) => {
        // One may come just when it does not stand still.
        for (let tries = 0; tries < 3; tries += 1) {
          const took = await tokenMs(url, model, delayMs * 5, signal);
          if (took !== undefined && took > delayMs / 2) return true;
        }
        return false;
      },
      apply: async () => {
        slowDown().catch(() => undefined); // that is how it ends
      },
      revert: async () => {
        ended.abort('over');
        await signalAll(runners, 'SIGCONT');
      },
    };
  },
  recover: ({ runners }) => signalAll(runners, 'SIGCONT'),
});

/**
 * Faults of a server with Ollama's API on this machine, a fake one or a real one: they act on its processes and through its
 * API, and not by asking it to pretend.
 * @example
 * await using fault = await kit.inject(fakeOllama.stuck, { url, identity, model: 'llama3.2' });
 */
export const fakeOllama = { down, stuck, unloaded, slow } as const;

async function answers(url: string, signal: AbortSignal): Promise<boolean> {
  const own = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
  return ollamaApi(url)
    .version(own)
    .then(
      () => true,
      () => false,
    );
}

/** How long one token took; undefined when none came in time. */
async function tokenMs(
  url: string,
  model: string,
  withinMs: number,
  signal: AbortSignal,
): Promise<number | undefined> {
  const own = AbortSignal.any([signal, AbortSignal.timeout(withinMs)]);
  const startedAt = performance.now();
  const request = { model: fullName(model), keepAlive: '5m', contextTokens: 512 };
  return ollamaApi(url)
    .oneToken(request, own)
    .then(
      () => performance.now() - startedAt,
      () => undefined,
    );
}

async function isUnloaded(
  { url, model }: { url: string; model: string },
  signal: AbortSignal,
): Promise<boolean> {
  return !(await ollamaApi(url).running(signal)).includes(fullName(model));
}

async function load(
  { url, model }: { url: string; model: string },
  signal: AbortSignal,
): Promise<void> {
  if (!(await isUnloaded({ url, model }, signal))) return;
  await ollamaApi(url).keep(fullName(model), '5m', 512, signal);
}

async function runnersOf(identity: ProcessIdentity): Promise<ProcessIdentity[]> {
  await expectAlive(identity);
  const runners = await childrenOf(identity.pid);
  if (runners.length > 0) return runners;
  throw new FaultWitnessError(`Process ${identity.pid} has no runner: load a model first.`);
}

async function expectAlive(identity: ProcessIdentity): Promise<void> {
  if (await isAlive(identity)) return;
  throw new FaultWitnessError(`Process ${identity.pid} is not there, or is another by now.`);
}

/** Those that are still the same ones. */
async function signalAll(identities: readonly ProcessIdentity[], signal: NodeJS.Signals) {
  for (const identity of identities) {
    if (await isAlive(identity)) sendSignal(identity.pid, signal);
  }
}
