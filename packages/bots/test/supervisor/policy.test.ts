import { countingId, ManualClock, seededRandom } from '@buddy/core';
import {
  type BotDefinitionInput,
  createSupervisor,
  type RestartPolicy,
  type Supervisor,
  type SupervisorInput,
} from '@buddy/bots';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FakeProcess, FakeProcesses } from '../process/fake-processes.ts';
import { bot, MemoryBots } from './memory-bots.ts';

type Restart = Partial<RestartPolicy>;

function setUp(
  definitions: readonly BotDefinitionInput[],
  begin?: (process: FakeProcess) => void,
  options: SupervisorInput = {},
) {
  const clock = new ManualClock();
  const registry = new MemoryBots(definitions);
  const processes = new FakeProcesses(begin);
  const supervisor = createSupervisor(
    { registry, ...options },
    {
      clock,
      processes,
      random: seededRandom(23),
      newId: countingId('mark'),
      environment: {
        PATH: '/bin',
        TOKEN: 'hunter2',
        OTHER: 'x',
        PHRASE: 'open sesame',
        CAUSE: 'std::bad_alloc',
      },
      probe: async () => 'nobody listens',
    },
  );
  const told = tell(supervisor);
  return { clock, registry, processes, supervisor, told };
}

/** Every event but the moves and the lines, in few words. */
function tell({ events }: Supervisor): string[] {
  const told: string[] = [];
  events.on('botStarted', ({ botId }) => told.push(`${botId} started`));
  events.on('botReady', ({ botId }) => told.push(`${botId} ready`));
  events.on('botExited', ({ botId, exit, reason }) =>
    told.push(`${botId} ${exit.kind}: ${reason}`),
  );
  events.on('botRestarting', ({ botId, waitMs }) => told.push(`${botId} restarts in ${waitMs}`));
  events.on('botQuarantined', ({ botId, reason }) => told.push(`${botId} quarantined: ${reason}`));
  events.on('limitExceeded', ({ botId, limit }) => told.push(`${botId} over its ${limit}`));
  return told;
}

function withRestart(restart: Restart, id = 'ada'): BotDefinitionInput {
  return bot(id, { command: 'run', restart });
}

function depending(id: string, ...dependsOn: string[]): BotDefinitionInput {
  return bot(id, { command: 'run', dependsOn });
}

async function drawnWaits(): Promise<number[]> {
  const restart = { backoffMs: 1_000, maxBackoffMs: 1_000, jitter: 0.5, intensity: 3 };
  const { clock, supervisor, told } = setUp([withRestart(restart)], (p) => p.exit(1));
  await supervisor.start('ada');
  await clock.advance(10_000);
  await supervisor.close();
  return told.flatMap((line) => / restarts in (\d+)$/.exec(line)?.[1] ?? []).map(Number);
}

describe('a supervisor', () => {
  it.each([
    ['permanent', 0, 'backing_off'],
    ['permanent', 1, 'backing_off'],
    ['transient', 0, 'stopped'],
    ['transient', 1, 'backing_off'],
    ['temporary', 0, 'stopped'],
    ['temporary', 1, 'crashed'],
  ] as const)('takes a %s bot that ends with %i for %s', async (kind, exitCode, status) => {
    const { clock, registry, processes, supervisor } = setUp([withRestart({ kind })]);
    await supervisor.start('ada');
    processes.last.exit(exitCode);
    await clock.advance(1);
    expect(registry.now('ada').status).toBe(status);
    await supervisor.close();
  });

  it('starts a bot again after a wait that doubles, up to its most', async () => {
    const { clock, supervisor, told } = setUp(
      [withRestart({ backoffMs: 100, maxBackoffMs: 300, jitter: 0, intensity: 4 })],
      (process) => process.exit(1),
    );
    await expect(clock.run(() => supervisor.start('ada'))).resolves.toBeUndefined();
    await clock.advance(2_000);
    const waits = told.filter((line) => line.includes('restarts in'));
    expect(waits).toEqual([100, 200, 300, 300].map((ms) => `ada restarts in ${ms}`));
    expect(told.at(-1)).toBe(
      'ada quarantined: 4 restarts within 60 s of running; the last end: exit code 1',
    );
    await supervisor.close();
  });

  it('tells by its last words why a bot ended, and none of its secrets', async () => {
    const { clock, registry, processes, supervisor, told } = setUp([
      bot('ada', { command: 'run', env: ['PHRASE'], restart: { kind: 'temporary' } }),
    ]);
    await supervisor.start('ada');
    const { last } = processes;
    last.write('stderr', 'EADDRINUSE, open sesame, postgres://ada:hunter2-S3cr3t@db\n');
    last.exit(1);
    await clock.advance(1);
    const reason =
      'exit code 1: EADDRINUSE, [redacted:environment], postgres://ada:[redacted:password]@db';
    expect(registry.now('ada').statusReason).toBe(reason);
    expect((await supervisor.status('ada')).statusReason).toBe(reason);
    expect(told.at(-1)).toBe(`ada address_in_use: ${reason}`);
    await supervisor.close();
  });

  it('looks for the cause in what was written, secrets and all, and tells no more than 200 characters', async () => {
    const { clock, processes, supervisor, told } = setUp([
      bot('ada', { command: 'run', env: ['CAUSE'], restart: { kind: 'temporary' } }),
    ]);
    await supervisor.start('ada');
    processes.last.write('stderr', `std::bad_alloc${' no'.repeat(1_000)}\n`);
    processes.last.exit(1);
    await clock.advance(1);
    expect(told.at(-1)).toBe(
      `ada out_of_memory: exit code 1: [redacted:environment]${' no'.repeat(59)} …`,
    );
    await supervisor.close();
  });

  it('draws the share of the wait that is called jitter, the same for the same seed', async () => {
    const drawn = await drawnWaits();
    expect(drawn).toHaveLength(3);
    expect(new Set(drawn).size).toBe(3);
    for (const ms of drawn) expect(ms >= 500 && ms <= 1_000).toBe(true);
    expect(await drawnWaits()).toEqual(drawn);
  });

  it('quarantines a bot after `intensity` restarts within `period`, however long it was well before', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 0, max: 100 * 86_400_000 }),
        async (intensity, healthyForMs) => {
          const restart = { intensity, periodMs: 10_000, backoffMs: 10, jitter: 0 };
          const { clock, registry, processes, supervisor } = setUp(
            [bot('ada', { command: 'run', restart })],
            undefined,
            { sampleEveryMs: 1_000_000_000 },
          );
          await supervisor.start('ada');
          await clock.advance(healthyForMs);
          let crashes = 0;
          while (registry.now('ada').status !== 'quarantined' && crashes < 10) {
            processes.last.exit(1);
            crashes += 1;
            await clock.advance(1_000);
          }
          expect(crashes).toBe(intensity + 1);
          expect(registry.now('ada').restarts).toBe(intensity);
          expect(registry.now('ada').statusReason).toContain(`${intensity} restarts within 10 s`);
          await supervisor.close();
        },
      ),
      { numRuns: 25 },
    ));

  it('quarantines a bot that never gets ready, however long it is waited for', async () => {
    const readiness = { kind: 'line', text: 'up' } as const;
    const { clock, processes, registry, supervisor } = setUp([
      bot('ada', { command: 'run', readiness }),
      bot('bob', { command: 'run', dependsOn: ['ada'] }),
    ]);
    const outcomes = supervisor.startAll();
    await clock.advance(15 * 60_000);
    expect(registry.now('ada')).toMatchObject({ status: 'quarantined', restarts: 5 });
    expect(processes.launched).toHaveLength(6);
    const error = { code: 'BOTS_NOT_STARTED', botId: 'ada', status: 'quarantined' };
    expect(await outcomes).toMatchObject([{ error }, { error }]);
    await supervisor.close();
  });

  it('quarantines a bot that crashes at once after `intensity` restarts, whatever that is', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 40 }), async (intensity) => {
        const { clock, registry, supervisor } = setUp([withRestart({ intensity })], (process) =>
          process.exit(1),
        );
        await supervisor.startAll();
        await clock.advance(intensity * 30_000 + 1);
        expect(registry.now('ada')).toMatchObject({ status: 'quarantined', restarts: intensity });
        await supervisor.close();
      }),
      { numRuns: 15 },
    ));

  it('never quarantines a bot whose crashes are far enough apart', async () => {
    const restart = { intensity: 2, periodMs: 10_000, backoffMs: 0 };
    const { clock, registry, processes, supervisor } = setUp([withRestart(restart)]);
    await supervisor.start('ada');
    for (let crash = 0; crash < 20; crash += 1) {
      processes.last.exit(1);
      await clock.advance(5_001);
    }
    expect(registry.now('ada')).toMatchObject({ status: 'running', restarts: 20 });
    await supervisor.close();
  });

  it('begins a new count when somebody starts a quarantined bot', async () => {
    const restart = { intensity: 1, backoffMs: 0 };
    const { clock, registry, processes, supervisor } = setUp([withRestart(restart)]);
    await supervisor.start('ada');
    const crash = async () => {
      processes.last.exit(1);
      await clock.advance(1);
    };
    await crash();
    await crash();
    expect(registry.now('ada').status).toBe('quarantined');
    await supervisor.start('ada');
    await crash();
    expect(registry.now('ada').status).toBe('running');
    await supervisor.close();
  });

  it('quarantines at once what only a person can mend', async () => {
    const { supervisor, registry, told } = setUp([bot('ada', { command: 'missing' })]);
    await expect(supervisor.start('ada')).rejects.toMatchObject({
      code: 'BOTS_NOT_STARTED',
      status: 'quarantined',
      message: expect.stringContaining('there is no such program'),
    });
    expect(registry.now('ada').lastExit?.kind).toBe('configuration');
    expect(told).toEqual([
      'ada configuration: Cannot start missing: there is no such program',
      'ada quarantined: Cannot start missing: there is no such program',
    ]);
    await supervisor.close();
  });

  it('leaves a bot quarantined that becomes so while all are being stopped', async () => {
    const { clock, processes, registry, supervisor } = setUp([
      bot('ada', { command: 'run', restart: { intensity: 0 } }),
      bot('bob', { command: 'run', dependsOn: ['ada'], stopGraceMs: 3_000 }),
    ]);
    await supervisor.startAll();
    const [ada, bob] = processes.launched;
    if (bob) bob.isStubborn = true; // ada has to wait for it
    const stopped = supervisor.stopAll();
    await clock.advance(1_000);
    ada?.exit(1);
    await clock.advance(5_000);
    await stopped;
    expect(registry.now('ada')).toMatchObject({
      status: 'quarantined',
      statusReason: expect.stringContaining('0 restarts within 60 s'),
    });
    expect(registry.now('bob').status).toBe('stopped');
    await supervisor.close();
  });

  it('leaves a bot alone that was handed over, until it is taken back', async () => {
    const { clock, registry, processes, supervisor } = setUp(
      [withRestart({ backoffMs: 0 })],
      undefined,
      { handedOver: ['ada'] },
    );
    await supervisor.start('ada');
    processes.last.exit(1);
    await clock.advance(60_000);
    expect(registry.now('ada').status).toBe('crashed');
    await supervisor.start('ada'); // the healer does
    await supervisor.takeBack('ada');
    processes.last.exit(1);
    await clock.advance(60_000);
    expect(registry.now('ada').status).toBe('running');
    await supervisor.handOver('ada');
    expect((await supervisor.status('ada')).isHandedOver).toBe(true);
    processes.last.exit(1);
    await clock.advance(60_000);
    expect(registry.now('ada').status).toBe('crashed');
    await supervisor.close();
  });

  it('does not start a bot that is handed over while it waits for its restart', async () => {
    const { clock, registry, processes, supervisor } = setUp([withRestart({ backoffMs: 10_000 })]);
    await supervisor.start('ada');
    processes.last.exit(1);
    await clock.advance(1);
    expect(registry.now('ada').status).toBe('backing_off');
    await supervisor.handOver('ada');
    await clock.advance(1);
    expect(registry.now('ada')).toMatchObject({
      status: 'crashed',
      statusReason: expect.stringContaining('handed over'),
    });
    await clock.advance(100_000);
    expect(processes.launched).toHaveLength(1);
    await supervisor.start('ada'); // the healer does
    expect(processes.launched).toHaveLength(2);
    await supervisor.close();
  });

  it('asks with SIGTERM, waits for the grace, and ends with SIGKILL', async () => {
    const { clock, processes, supervisor, told } = setUp(
      [bot('ada', { command: 'run', stopGraceMs: 3_000 })],
      (process) => (process.isStubborn = true),
    );
    await supervisor.start('ada');
    const stopped = supervisor.stop('ada');
    await clock.advance(2_999);
    expect(processes.last.signals).toEqual(['SIGTERM']);
    await clock.advance(1);
    expect(processes.last.signals).toEqual(['SIGTERM', 'SIGKILL']);
    await clock.run(() => stopped);
    expect(told.at(-1)).toBe('ada requested: signal SIGKILL');
    await supervisor.close();
  });

  it('stops a bot that waits for its restart', async () => {
    const { clock, registry, processes, supervisor } = setUp([withRestart({ backoffMs: 50_000 })]);
    await supervisor.start('ada');
    processes.last.exit(1);
    await clock.advance(1);
    await supervisor.stop('ada');
    await clock.advance(100_000);
    expect(registry.now('ada').status).toBe('stopped');
    expect(registry.now('ada')).not.toHaveProperty('mark'); // nothing of it is left to be found
    expect(processes.launched).toHaveLength(1);
    await supervisor.close();
  });

  it('starts a bot once, however often it is asked to', async () => {
    const { processes, supervisor } = setUp([bot('ada')]);
    await Promise.all([supervisor.start('ada'), supervisor.start('ada'), supervisor.start('ada')]);
    expect(processes.launched).toHaveLength(1);
    await supervisor.close();
  });

  it('starts each bot after what it depends on, and stops it before', async () => {
    const { registry, supervisor } = setUp([
      depending('web', 'api'),
      depending('api', 'db', 'cache'),
      depending('cache'),
      depending('db'),
    ]);
    await supervisor.start('web');
    const started = registry.moves.filter((move) => move.endsWith('-> running'));
    expect(started.map((move) => move.split(':')[0])).toEqual(['db', 'cache', 'api', 'web']);
    expect(await supervisor.stop('db')).toEqual(['web', 'api', 'db']);
    expect(registry.now('cache').status).toBe('running');
    await supervisor.startAll();
    registry.moves.length = 0;
    await supervisor.close();
    const stopped = registry.moves.filter((move) => move.endsWith('-> stopped'));
    expect(stopped.map((move) => move.split(':')[0]).slice(0, 2)).toEqual(['web', 'api']);
    expect(stopped).toHaveLength(4);
  });

  it('refuses a circle and an unknown dependency with the way there, and starts all others', async () => {
    const { registry, supervisor } = setUp([
      depending('a', 'b'),
      depending('b', 'c'),
      depending('c', 'a'),
      depending('lost', 'nobody'),
      bot('fine'),
    ]);
    await expect(supervisor.start('a')).rejects.toMatchObject({
      code: 'BOTS_DEPENDENCY_CYCLE',
      path: ['a', 'b', 'c', 'a'],
    });
    await expect(supervisor.start('lost')).rejects.toMatchObject({
      code: 'BOTS_UNKNOWN_DEPENDENCY',
      path: ['lost', 'nobody'],
    });
    const outcomes = await supervisor.startAll();
    expect(outcomes.filter(({ isStarted }) => isStarted).map(({ id }) => id)).toEqual(['fine']);
    expect(registry.now('fine').status).toBe('running');
    await supervisor.close();
  });

  it('names the path and the reason of a malformed bot, and starts all others', async () => {
    const { registry, supervisor } = setUp([bot('ada'), bot('bad')]);
    // @ts-expect-error: as a registry of somebody else's making might answer
    registry.put({ ...registry.now('bad'), deployment: { command: 'run', stopGraceMs: 'soon' } });
    const outcomes = await supervisor.startAll();
    expect(outcomes).toMatchObject([
      { id: 'ada', isStarted: true },
      {
        id: 'bad',
        isStarted: false,
        error: {
          code: 'CORE_INVALID_INPUT',
          message: expect.stringMatching(/bot bad[^]*expected number[^]*deployment\.stopGraceMs/),
        },
      },
    ]);
    await supervisor.close();
  });

  it('does not start what depends on a quarantined bot, nor that bot', async () => {
    const { registry, supervisor } = setUp([
      bot('db', { command: 'missing' }),
      bot('api', { command: 'run', dependsOn: ['db'] }),
    ]);
    await expect(supervisor.start('db')).rejects.toThrow('quarantined');
    expect(await supervisor.startAll()).toMatchObject([
      { id: 'api', isStarted: false, error: { botId: 'db', status: 'quarantined' } },
    ]);
    expect(registry.now('api').status).toBe('registered');
    await supervisor.close();
  });

  it('hands on the variables that a bot names and the path, and no other', async () => {
    const { processes, supervisor } = setUp([bot('ada', { command: 'run', env: ['TOKEN', 'NO'] })]);
    await supervisor.start('ada');
    expect(processes.last.launch.environment).toEqual({ PATH: '/bin', TOKEN: 'hunter2' });
    await supervisor.close();
  });

  it('ends a bot that is over its memory for as long as is allowed, and tells the sample', async () => {
    const limits = { maxRssBytes: 500, durationMs: 2_000 };
    const { clock, processes, registry, supervisor } = setUp([
      bot('ada', { command: 'run', limits, restart: { kind: 'temporary' } }),
    ]);
    const breaches: unknown[] = [];
    supervisor.events.on('limitExceeded', (event) => breaches.push(event));
    await supervisor.start('ada');
    processes.last.usage = { rssBytes: 501, cpuMs: 0 };
    await clock.advance(1_900);
    processes.last.usage = { rssBytes: 500, cpuMs: 0 };
    await clock.advance(1_000);
    processes.last.usage = { rssBytes: 502, cpuMs: 0 };
    await clock.advance(2_000);
    expect(breaches).toEqual([]);
    await clock.advance(500);
    expect(breaches).toEqual([
      {
        at: Date.UTC(2026, 0, 1, 0, 0, 5),
        botId: 'ada',
        limit: 'rss',
        maxRssBytes: 500,
        forMs: 2_000,
        sample: { at: Date.UTC(2026, 0, 1, 0, 0, 5), processes: 1, rssBytes: 502, cpuPercent: 0 },
      },
    ]);
    expect(registry.now('ada')).toMatchObject({
      status: 'crashed',
      lastExit: { kind: 'limit_exceeded' },
      statusReason: expect.stringContaining('502 bytes resident, 500 are allowed'),
    });
    await supervisor.close();
  });

  it('ends a bot that is over its share of the processor', async () => {
    const limits = { maxCpuPercent: 80, durationMs: 1_000 };
    const { clock, processes, registry, supervisor } = setUp([
      bot('ada', { command: 'run', limits, restart: { kind: 'temporary' } }),
    ]);
    await supervisor.start('ada');
    const burn = async (percent: number, seconds: number) => {
      for (let step = 0; step < seconds * 4; step += 1) {
        const { usage } = processes.last;
        processes.last.usage = { ...usage, cpuMs: usage.cpuMs + 2.5 * percent };
        await clock.advance(250);
      }
    };
    await burn(79, 20);
    expect(registry.now('ada').status).toBe('running');
    expect((await supervisor.status('ada')).usage?.cpuPercent).toBeCloseTo(79);
    await burn(200, 3);
    expect(registry.now('ada').lastExit?.kind).toBe('limit_exceeded');
    await supervisor.close();
  });

  it('ends a bot over its share of the processor though its children go, and take theirs along', async () => {
    const limits = { maxCpuPercent: 80, durationMs: 5_000 };
    const { clock, processes, registry, supervisor } = setUp([
      bot('ada', { command: 'run', limits, restart: { kind: 'temporary' } }),
    ]);
    await supervisor.start('ada');
    for (let step = 1; step <= 60; step += 1) {
      const { usage } = processes.last;
      const cpuMs = step % 13 === 0 ? 0 : usage.cpuMs + 250; // a whole core, by one child after the other
      processes.last.usage = { ...usage, cpuMs };
      await clock.advance(250);
    }
    expect(registry.now('ada').lastExit?.kind).toBe('limit_exceeded');
    await supervisor.close();
  });

  it('goes on supervising while nothing can be recorded, and catches up by legal moves', async () => {
    const { clock, registry, processes, supervisor } = setUp([withRestart({ backoffMs: 10 })]);
    const failures: unknown[] = [];
    supervisor.events.on('recordFailed', ({ error }) => failures.push(error));
    await supervisor.start('ada');
    registry.failure = new Error('the disk is full');
    processes.last.exit(1);
    await clock.advance(1_000);
    expect(processes.launched).toHaveLength(2);
    expect(failures.length).toBeGreaterThan(0);
    expect((await supervisor.status('ada')).status).toBe('running');
    registry.failure = undefined;
    await supervisor.stop('ada');
    expect(registry.moves.map((move) => move.slice('ada: '.length))).toEqual([
      'registered -> starting',
      'starting -> running',
      'running -> backing_off',
      'backing_off -> starting',
      'starting -> running',
      'running -> stopping',
      'stopping -> stopped',
    ]);
    await supervisor.close();
  });

  it('restarts and signals at once while recording takes its time, and records all in order then', async () => {
    const { clock, registry, processes, supervisor } = setUp([
      withRestart({ backoffMs: 10, jitter: 0 }),
      depending('bob', 'ada'),
    ]);
    await supervisor.startAll();
    const [ada, bob] = processes.launched;
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    registry.held = held;
    ada?.exit(1);
    await clock.advance(20);
    expect(processes.launched).toHaveLength(3);
    let isStopped = false;
    const stopped = supervisor.stop('ada').then(() => (isStopped = true));
    await clock.advance(20);
    expect([bob?.isRunning, processes.last.isRunning]).toEqual([false, false]);
    expect(isStopped).toBe(false); // that is told when it is recorded
    letGo();
    await stopped;
    expect(registry.moves.filter((move) => move.startsWith('ada')).slice(2)).toEqual([
      'ada: running -> backing_off',
      'ada: backing_off -> starting',
      'ada: starting -> running',
      'ada: running -> stopping',
      'ada: stopping -> stopped',
    ]);
    expect(registry.now('bob').status).toBe('stopped');
    await supervisor.close();
  });

  it('starts nothing that the registry refuses to record', async () => {
    const { registry, processes, supervisor } = setUp([bot('ada')]);
    await supervisor.open();
    registry.failure = new Error('the disk is full');
    await expect(supervisor.start('ada')).rejects.toThrow('the disk is full');
    expect(processes.launched).toEqual([]);
    await supervisor.close();
  });

  it('gives up a bot that is not ready in time, and restarts it as any other', async () => {
    const readiness = { kind: 'line', text: 'up', timeoutMs: 1_000 } as const;
    const { clock, processes, registry, supervisor } = setUp([
      bot('ada', { command: 'run', readiness, restart: { backoffMs: 10 } }),
    ]);
    const started = supervisor.start('ada');
    await clock.advance(1_500);
    expect(registry.now('ada').lastExit?.kind).toBe('not_ready');
    processes.last.write('stdout', 'now it is up, all of it\n');
    await clock.advance(1);
    await started;
    expect(processes.launched).toHaveLength(2);
    await supervisor.close();
  });

  it('calls a bot degraded that fails its liveness, and ends it when it goes on', async () => {
    const liveness = { kind: 'message', everyMs: 1_000, timeoutMs: 500, failures: 2 } as const;
    const { clock, processes, registry, supervisor } = setUp([
      bot('ada', { command: 'run', liveness, restart: { kind: 'temporary' } }),
    ]);
    await supervisor.start('ada');
    const alive = () => processes.last.launch.onMessage({ type: 'alive' });
    for (let second = 0; second < 10; second += 1) {
      alive();
      await clock.advance(1_000);
    }
    expect(registry.now('ada').status).toBe('running');
    await clock.advance(3_000);
    expect(registry.now('ada').status).toBe('degraded');
    alive();
    await clock.advance(1_000);
    expect(registry.now('ada').status).toBe('running');
    await clock.advance(10_000);
    expect(registry.now('ada')).toMatchObject({
      status: 'crashed',
      lastExit: { kind: 'not_alive' },
      statusReason: expect.stringContaining("4 failures in a row: no message { type: 'alive' }"),
    });
    await supervisor.close();
  });

  it('adopts what an earlier one left running, and buries what is gone', async () => {
    const { clock, registry, processes, supervisor: earlier } = setUp([bot('ada'), bot('bob')]);
    await earlier.startAll();
    processes.launched[1]?.exit(1); // together with the supervisor: nobody saw it
    registry.failure = new Error('it is dead');
    const later = createSupervisor({ registry }, { clock, processes, newId: countingId('later') });
    registry.failure = undefined;
    const adopted: string[] = [];
    later.events.on('botAdopted', ({ botId }) => adopted.push(botId));
    expect(await later.open()).toEqual({ adopted: ['ada'], buried: ['bob'] });
    expect(adopted).toEqual(['ada']);
    expect(await later.identity('ada')).toEqual(processes.launched[0]?.identity);
    expect(registry.now('bob')).toMatchObject({
      status: 'crashed',
      statusReason: 'It ended while nobody supervised it',
    });
    await later.stop('ada');
    expect(processes.launched[0]?.signals).toEqual(['SIGTERM']);
    await later.close();
  });

  it('refuses work once it is closed', async () => {
    const { supervisor } = setUp([bot('ada')]);
    await supervisor.close();
    await expect(supervisor.start('ada')).rejects.toMatchObject({
      code: 'BOTS_SUPERVISOR_CLOSED',
    });
  });

  it('launches nothing after it has been closed, at whatever moment of a start that was', async () => {
    for (let turns = 0; turns < 40; turns += 1) {
      const { clock, registry, processes, supervisor } = setUp([
        depending('web', 'db'),
        depending('db'),
      ]);
      if (turns % 2 === 0) await supervisor.open();
      const started = supervisor.start('web').catch((error: unknown) => error);
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      await supervisor.close();
      const launched = processes.launched.length;
      await clock.advance(10_000);
      await started;
      expect(processes.launched).toHaveLength(launched);
      expect(processes.launched.filter(({ signals }) => !signals.includes('SIGTERM'))).toEqual([]);
      for (const { status } of await registry.all())
        expect(['registered', 'stopped']).toContain(status);
    }
  });

  it('is closed once: who closes it again waits for the same end', async () => {
    const { clock, processes, supervisor } = setUp(
      [bot('ada', { command: 'run', stopGraceMs: 3_000 })],
      (process) => (process.isStubborn = true),
    );
    await supervisor.start('ada');
    const first = supervisor.close();
    await clock.advance(1_000);
    const second = supervisor.close().then(() => processes.last.isRunning);
    await clock.advance(4_000);
    await first;
    expect(await second).toBe(false);
  });

  it('refuses options that do not fit, and bots that outlive it without a place for their words', () => {
    const registry = new MemoryBots([]);
    expect(() => createSupervisor({ registry, sampleEveryMs: 0 })).toThrow('sampleEveryMs');
    expect(() => createSupervisor({ registry, orphans: 'leave' })).toThrow('logs');
  });
});
