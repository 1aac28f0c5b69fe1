import { type Clock, describeFailure, parseOrThrow, systemClock } from '@buddy/core';
import { z } from 'zod';
import { JobQuarantinedError, SandboxDownError } from '../../errors.ts';
import { failed, unknown } from '../../probes/layers/layer.ts';
import type { Sign } from '../../resource/adapters/probed.ts';
import type { SandboxAdapter } from '../../resource/adapters/safeguards.ts';
import { HEALTHY, type Reading } from '../../resource/reading.ts';

const Code = z.string().min(1);

export const GuardedSandboxOptions = z.strictObject({
  /** Programs that try to get out: read a file, open a connection, start a process. None may end well. */
  canaries: z.array(z.strictObject({ name: z.string().min(1), code: Code })).min(1),
  /** A harmless program, and the value that it has to give. Without it a dead sandbox would deny every canary. */
  smoke: z.strictObject({ code: Code, expects: z.json() }),
  /** Each of them has so many ms. Keep it below the guardian's `probeTimeoutMs`. */
  lookTimeoutMs: z.number().positive().default(1_000),
  /** Whether a job that tried what it must not is a symptom, although it was stopped. */
  raiseViolations: z.boolean().default(true),
});
export type GuardedSandboxInput = z.input<typeof GuardedSandboxOptions>;

/** What runs code. `@buddy/sandbox`'s sandbox is one, and so is `startCodeRunner`. */
export interface SandboxHost {
  /** `status` is `ok` when the code came to its end, whatever else when it did not. */
  run(code: string, options: { signal: AbortSignal }): Promise<{ status: string; value?: unknown }>;
  /** Ends it and all that runs in it, by force. */
  close(): Promise<void>;
}

export interface GuardedSandboxPorts {
  /** Makes one from the pinned template; rejects when the template is not the pinned one. */
  create: (signal: AbortSignal) => Promise<SandboxHost>;
  /** Takes away what jobs were allowed: tokens, leases, tools. */
  revokeGrants?: (signal: AbortSignal) => Promise<void>;
  clock?: Clock;
}

export interface SandboxJob {
  id: string;
  code: string;
}

export interface GuardedSandbox {
  /**
   * Runs a job. When the sandbox is replaced meanwhile, the job is run once more in the new one, from its beginning.
   * @throws {JobQuarantinedError} When its sandbox had to be ended twice, or was not replaced.
   * @throws {SandboxDownError} When there is no sandbox.
   */
  run(job: SandboxJob): Promise<{ status: string; value?: unknown }>;
  /** Jobs that are not run again, to be looked at. */
  readonly quarantined: readonly SandboxJob[];
  readonly adapter: SandboxAdapter;
  close(): Promise<void>;
}

interface LiveJob extends SandboxJob {
  tries: number;
  isRunning: boolean;
  ended: AbortController;
  result: PromiseWithResolvers<{ status: string; value?: unknown }>;
}

/**
 * A sandbox that can be ended and made anew with jobs in it. It is well when every attempt to get out is denied **and** a
 * harmless program works.
 * @throws {InvalidInputError} When the options are not usable.
 * @example
 * const guarded = await openGuardedSandbox(
 *   {
 *     canaries: [{ name: 'reads a file', code: `(await import('node:fs')).readFileSync('/etc/passwd', 'utf8')` }],
 *     smoke: { code: '1 + 1', expects: 2 },
 *   },
 *   { create: () => createSandbox() },
 * );
 */
export async function openGuardedSandbox(
  input: GuardedSandboxInput,
  ports: GuardedSandboxPorts,
): Promise<GuardedSandbox> {
  const options = parseOrThrow(GuardedSandboxOptions, input, 'a guarded sandbox');
  const { create, revokeGrants, clock = systemClock } = ports;
  const jobs = new Map<string, LiveJob>();
  const quarantined: SandboxJob[] = [];
  let host: SandboxHost | undefined = await create(new AbortController().signal);
  let raise: ((sign: Sign) => void) | undefined;

  const begin = async (job: LiveJob): Promise<void> => {
    const own = host;
    if (!own) return;
    job.tries += 1;
    job.isRunning = true;
    job.ended = new AbortController();
    const { signal } = job.ended;
    try {
      const result = await own.run(job.code, { signal });
      if (signal.aborted) return; // its sandbox was ended: what it says counts no more
      jobs.delete(job.id);
      job.result.resolve(result);
      if (result.status === 'violation' && options.raiseViolations) raise?.(violated(job));
    } catch (error) {
      if (signal.aborted) return;
      jobs.delete(job.id);
      job.result.reject(error);
    }
  };
  const destroy = async (): Promise<void> => {
    const old = host;
    host = undefined;
    for (const job of jobs.values()) {
      job.isRunning = false;
      job.ended.abort('its sandbox was ended');
    }
    await old?.close();
  };
  const quarantine = (id: string): void => {
    const job = jobs.get(id);
    if (!job) return; // it came to its end, or is quarantined
    jobs.delete(id);
    job.ended.abort('it is quarantined');
    quarantined.push({ id, code: job.code });
    job.result.reject(new JobQuarantinedError(id));
  };
  /** What came of a program; undefined when nothing did in its time. */
  const tryOut = async (code: string, signal: AbortSignal) => {
    if (!host) return undefined;
    const late = new AbortController();
    const own = AbortSignal.any([signal, late.signal]);
    const silence = clock.sleep(options.lookTimeoutMs, own).then(() => undefined);
    silence.catch(() => undefined); // it was not needed
    try {
      return await Promise.race([host.run(code, { signal: own }), silence]);
    } finally {
      late.abort('over');
    }
  };
  const smokeTest = async (signal: AbortSignal): Promise<Reading> => {
    if (!host) return failed('sandbox.silent', 'decisive', 'there is no sandbox');
    const { code, expects } = options.smoke;
    try {
      const result = await tryOut(code, signal);
      if (!result) {
        const note = `a harmless program did not end within ${options.lookTimeoutMs} ms`;
        return failed('sandbox.silent', 'ambiguous', note);
      }
      const isRight =
        result.status === 'ok' && JSON.stringify(result.value) === JSON.stringify(expects);
      return isRight
        ? HEALTHY
        : failed('sandbox.sick', 'decisive', `a harmless program ended ${result.status}`);
    } catch (error) {
      signal.throwIfAborted();
      return failed('sandbox.sick', 'decisive', describeFailure(error).message);
    }
  };
  const escapeCanaries = async (signal: AbortSignal): Promise<Reading> => {
    if (!host) return failed('sandbox.silent', 'decisive', 'there is no sandbox');
    const tried = await Promise.all(
      options.canaries.map(async ({ name, code }) => {
        const result = await tryOut(code, signal).catch(() => ({ status: 'error' }));
        return { name, status: result?.status };
      }),
    );
    const escaped = tried.filter(({ status }) => status === 'ok').map(({ name }) => name);
    if (escaped.length > 0) {
      return failed('sandbox.breached', 'decisive', `not denied: ${escaped.join(', ')}`);
    }
    const silent = tried.filter(({ status }) => status === undefined).map(({ name }) => name);
    if (silent.length === 0) return HEALTHY;
    return unknown('probe_error', `came to no end: ${silent.join(', ')}`);
  };
  const adapter: SandboxAdapter = {
    kind: 'sandbox',
    smokeTest,
    escapeCanaries,
    probe: async (signal) => {
      const [works, denies] = await Promise.all([smokeTest(signal), escapeCanaries(signal)]);
      // That code gets out is worse than that none runs.
      return denies.status === 'FAILED' || works.status === 'HEALTHY' ? denies : works;
    },
    watch: (tell) => {
      raise = tell;
      return () => {
        raise = undefined;
      };
    },
    jobs: async () => [...jobs.keys()],
    destroy,
    rebuild: async (signal) => {
      await destroy();
      host = await create(signal);
    },
    revokeGrants: async (signal) => revokeGrants?.(signal),
    requeueOnce: async (id) => {
      const job = jobs.get(id);
      if (!job || job.isRunning) return;
      if (job.tries > 1) return quarantine(id);
      void begin(job);
    },
    quarantineJob: async (id) => quarantine(id),
  };
  return {
    adapter,
    quarantined,
    run: ({ id, code }) => {
      if (!host) return Promise.reject(new SandboxDownError());
      const job: LiveJob = {
        id,
        code,
        tries: 0,
        isRunning: false,
        ended: new AbortController(),
        result: Promise.withResolvers(),
      };
      jobs.set(id, job);
      void begin(job);
      return job.result.promise;
    },
    close: async () => {
      await destroy();
      for (const id of jobs.keys()) quarantine(id);
    },
  };
}

function violated({ id }: SandboxJob): Sign {
  return {
    status: 'FAILED',
    signal: 'sandbox.violated',
    certainty: 'decisive',
    note: `job ${id} tried what it must not`,
    data: { job: id },
  };
}
