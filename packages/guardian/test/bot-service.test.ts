import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ManualClock } from '@buddy/core';
import {
  type BotSupervisor,
  createBotService,
  createGuardian,
  type Reading,
  serviceCrashed,
  serviceMark,
  type Sign,
} from '@buddy/guardian';
import { EventEmitter } from 'eventemitter3';
import { describe, expect, it } from 'vitest';

const { signal } = new AbortController();

interface Exit {
  kind: string;
  exitCode: number | null;
  signal: string | null;
  at: string;
}

/** A supervisor with one bot, `crawler`, whose process is this one. */
class FakeSupervisor implements BotSupervisor {
  readonly events = new EventEmitter<{
    botExited: [event: { at: number; botId: string; exit: Exit }];
    botStarted: [event: { at: number; botId: string }];
  }>();
  readonly lines: { at: number; stream: string; text: string }[] = [];
  starts = 0;
  phase = 'registered';
  lastExit: Exit | undefined;
  pid: number | undefined;

  async start(): Promise<void> {
    this.starts += 1;
    this.pid = process.pid;
    this.phase = 'running';
    this.events.emit('botStarted', { at: this.starts * 100, botId: 'crawler' });
  }

  async stop(): Promise<void> {
    if (this.pid !== undefined)
      this.end({ kind: 'requested', exitCode: 0, signal: null }, 'stopped');
  }

  end(how: Omit<Exit, 'at'>, status = 'crashed'): void {
    const exit = { ...how, at: '2026-01-01T00:00:00.000Z' };
    this.pid = undefined;
    this.phase = status;
    this.lastExit = exit;
    this.events.emit('botExited', { at: 0, botId: 'crawler', exit });
  }

  async identity() {
    const pid = this.pid;
    return pid === undefined ? undefined : { pid, startedAtTicks: `${this.starts}` };
  }

  async status() {
    return { status: this.phase, lastExit: this.lastExit };
  }

  async logs() {
    return this.lines;
  }
}

const killed: Exit = {
  kind: 'signal',
  exitCode: null,
  signal: 'SIGKILL',
  at: '2026-01-01T00:00:00.000Z',
};

describe('a bot as a service', () => {
  it('is started and stopped by its supervisor, and started once only', async () => {
    const supervisor = new FakeSupervisor();
    const bot = createBotService(supervisor, 'crawler');
    expect(await bot.state(signal)).toEqual({ is: 'stopped' });
    await bot.start(signal);
    await bot.start(signal);
    expect(supervisor.starts).toBe(1);
    expect(await bot.state(signal)).toEqual({
      is: 'running',
      identity: { pid: process.pid, startTime: '1' },
    });
    await bot.stop(signal);
    expect(await bot.state(signal)).toEqual({ is: 'stopped' });
  });

  it('tells of an end that nobody asked for, and by its last words of which kind it was', async () => {
    const supervisor = new FakeSupervisor();
    const bot = createBotService(supervisor, 'crawler');
    const signs: Sign[] = [];
    const unwatch = bot.watch?.((sign) => signs.push(sign));
    await bot.start(signal);
    supervisor.lines.push({ at: 150, stream: 'stderr', text: 'listen EADDRINUSE: 8080' });
    supervisor.end({ kind: 'address_in_use', exitCode: 1, signal: null });
    await bot.start(signal);
    supervisor.end(killed); // the words of the one before are not its own
    await bot.start(signal);
    await bot.stop(signal);
    await expect
      .poll(() => signs.map((sign) => sign.signal))
      .toEqual(['port.in_use', 'process.exited']);
    unwatch?.();
    await bot.start(signal);
    supervisor.end(killed);
    await Promise.resolve();
    expect(signs).toHaveLength(2);
    expect(await bot.probe(signal)).toMatchObject({ status: 'FAILED', signal: 'process.exited' });
  });

  it('is not known to be well or not while it boots, and slow after its time', async () => {
    const supervisor = new FakeSupervisor();
    const clock = new ManualClock();
    let reading: Reading = {
      status: 'FAILED',
      signal: 'port.refused',
      certainty: 'decisive',
      note: 'nobody listens',
    };
    const ports = { clock, ready: async () => reading };
    const bot = createBotService(supervisor, 'crawler', { bootBudgetMs: 1_000 }, ports);
    await bot.start(signal);
    expect(await bot.probe(signal)).toMatchObject({ status: 'UNKNOWN', reason: 'warming_up' });
    await clock.advance(1_000);
    expect(await bot.probe(signal)).toMatchObject({ signal: 'service.slow_boot' });
    const refused = reading;
    reading = { status: 'HEALTHY' };
    expect(await bot.probe(signal)).toEqual({ status: 'HEALTHY' });
    reading = refused;
    expect(await bot.probe(signal)).toEqual(refused); // it was ready, and is not any more
    supervisor.phase = 'starting';
    supervisor.end(killed, 'starting');
    expect(await bot.probe(signal)).toMatchObject({ status: 'UNKNOWN', reason: 'warming_up' });
  });

  it('is started again by a guardian that hears of its end', async () => {
    const supervisor = new FakeSupervisor();
    const bot = createBotService(supervisor, 'crawler');
    await bot.start(signal);
    await using guardian = createGuardian(
      { autonomy: { 3: 'auto' }, longestStableMs: 1 },
      { resources: [{ id: 'crawler', adapter: bot }], playbooks: [serviceCrashed] },
    );
    await guardian.start();
    const closed = new Promise((resolve) => guardian.events.once('incidentClosed', resolve));
    supervisor.end(killed);
    expect(await closed).toMatchObject({ incident: { closedAs: 'restored' } });
    expect(supervisor.starts).toBe(2);
  });

  it('is asked about only when its supervisor has seen to an end', async () => {
    const supervisor = new FakeSupervisor();
    const bot = createBotService(supervisor, 'crawler');
    const child = spawn('true');
    await once(child, 'exit');
    await bot.start(signal);
    supervisor.pid = child.pid; // gone, and the supervisor does not know it yet
    let asked = 0;
    const identity = supervisor.identity.bind(supervisor);
    supervisor.identity = async () => {
      asked += 1;
      if (asked === 3) supervisor.end(killed);
      return identity();
    };
    expect(await bot.state(signal)).toMatchObject({ is: 'exited', exit: { signal: 'SIGKILL' } });
  });

  it('does not start when its supervisor cannot, or when it is called off', async () => {
    const supervisor = new FakeSupervisor();
    const bot = createBotService(supervisor, 'crawler');
    supervisor.start = () => Promise.reject(new Error('no such program'));
    await expect(bot.start(signal)).rejects.toThrow('no such program');
    await expect(bot.start(AbortSignal.abort('enough'))).rejects.toBe('enough');
    supervisor.start = () => new Promise(() => undefined);
    const called = new AbortController();
    const starting = bot.start(called.signal);
    called.abort('enough');
    await expect(starting).rejects.toBe('enough');
  });

  it.skipIf(process.platform !== 'linux')(
    'is ended with what a former life left behind, which bears its mark, and nothing else',
    async () => {
      const mark = { stateFolder: `/tmp/bot-service-${process.pid}`, id: 'crawler' };
      const started = [mark, { ...mark, id: 'other' }].map((of) =>
        spawn('sleep', ['30'], { env: serviceMark(of), stdio: 'ignore' }),
      );
      const [own, other] = started;
      await Promise.all(started.map((child) => once(child, 'spawn')));
      try {
        const supervisor = new FakeSupervisor();
        const bot = createBotService(supervisor, 'crawler', { stateFolder: mark.stateFolder });
        await bot.stop(signal);
        expect([own?.signalCode, other?.signalCode]).toEqual(['SIGTERM', null]);
      } finally {
        for (const child of started) child.kill('SIGKILL');
      }
    },
  );
});
