import { Writable } from 'node:stream';
import {
  createJsonLogger,
  type JsonLoggerInput,
  type JsonLoggerPorts,
  type Logger,
  ManualClock,
  silentLogger,
} from '@buddy/core';
import { pino } from 'pino';
import { describe, expect, expectTypeOf, it } from 'vitest';

function jsonLogger(input: JsonLoggerInput = {}, ports: JsonLoggerPorts = {}) {
  const lines: unknown[] = [];
  const logger = createJsonLogger(input, {
    clock: new ManualClock(),
    environment: 'test',
    write: (line) => lines.push(JSON.parse(line)),
    ...ports,
  });
  return { logger, lines };
}

const TIME = '2026-01-01T00:00:00.000Z';

describe('a JSON logger', () => {
  it('writes level, time, fields and message, one line each', () => {
    const written: string[] = [];
    const { logger } = jsonLogger({}, { write: (line) => written.push(line) });
    logger.info({ tasks: 12 }, 'started');
    logger.warn('careful');
    expect(written).toEqual([
      `{"level":"info","time":"${TIME}","tasks":12,"msg":"started"}\n`,
      `{"level":"warn","time":"${TIME}","msg":"careful"}\n`,
    ]);
  });

  it('gives a child its fields, and no field the place of level and time', () => {
    const { logger, lines } = jsonLogger();
    logger
      .child({ runId: 'run-1' })
      .child({ taskId: 't' })
      .error({ level: 'x', time: 0, runId: 'run-2' });
    logger.info({});
    expect(lines).toEqual([
      { level: 'error', time: TIME, runId: 'run-2', taskId: 't' },
      { level: 'info', time: TIME },
    ]);
  });

  it.each([
    ['debug', 4],
    ['info', 3],
    ['warn', 2],
    ['error', 1],
    ['silent', 0],
  ] as const)('of level %s writes %i of the four levels', (level, count) => {
    const { logger, lines } = jsonLogger({ level });
    for (const method of ['debug', 'info', 'warn', 'error'] as const) logger[method]('x');
    expect(lines).toHaveLength(count);
  });

  it('takes secrets out by default: of fields, bindings, messages and errors', () => {
    const { logger, lines } = jsonLogger();
    logger.child({ apiKey: 'x' }).error({ err: new Error('token=x') }, 'password=hunter2');
    logger.error(new Error('password=hunter2'));
    expect(lines).toMatchObject([
      {
        apiKey: '[redacted:api-key]',
        err: { message: 'token=[redacted:token]' },
        msg: 'password=[redacted:password]',
      },
      {
        err: { name: 'Error', message: 'password=[redacted:password]' },
        msg: 'password=[redacted:password]',
      },
    ]);
  });

  it('is loud when redaction is off in production, whatever its level, and only there', () => {
    const production = jsonLogger(
      { redact: false, level: 'silent' },
      { environment: 'production' },
    );
    expect(production.lines).toMatchObject([
      { level: 'warn', msg: expect.stringContaining('Redaction is OFF') },
    ]);
    const test = jsonLogger({ redact: false });
    test.logger.info({ password: 'hunter2' });
    expect(test.lines).toEqual([{ level: 'info', time: TIME, password: 'hunter2' }]);
  });

  it.each([true, false])('writes anything and never throws over it (redact: %s)', (isRedacting) => {
    const { logger, lines } = jsonLogger({ redact: isRedacting });
    const circle: Record<string, unknown> = { big: 5n };
    circle['self'] = circle;
    const trap = {
      get broken(): never {
        throw new Error('no');
      },
    };
    logger.info(circle);
    logger.child(trap).info(trap);
    logger.info([1, 2]);
    expect(lines).toMatchObject([
      { big: '5', self: '[redacted:circular]' },
      { broken: '[redacted:unreadable]' },
      { fields: [1, 2] },
    ]);
  });

  it('takes another redactor', () => {
    const { logger, lines } = jsonLogger({}, { redact: () => ({ gone: true }) });
    logger.info({ a: 1 });
    expect(lines).toEqual([{ level: 'info', time: TIME, gone: true }]);
  });

  it('refuses a level it does not know', () => {
    // @ts-expect-error: pino's, but not ours
    expect(() => createJsonLogger({ level: 'trace' })).toThrow('level');
  });
});

describe('the port', () => {
  it('is one that pino fits as it is', () => {
    const lines: unknown[] = [];
    const stream = new Writable({
      write(chunk, _encoding, done) {
        lines.push(JSON.parse(String(chunk)));
        done();
      },
    });
    const logger: Logger = pino({ base: null, timestamp: false, level: 'debug' }, stream);
    expectTypeOf<pino.Logger>().toExtend<Logger>();
    logger.debug({ a: 1 }, 'one');
    logger.child({ runId: 'run-1' }).warn('two');
    expect(lines).toEqual([
      { level: 20, a: 1, msg: 'one' },
      { level: 40, runId: 'run-1', msg: 'two' },
    ]);
  });

  it('has a logger that tells nobody', () => {
    const child = silentLogger.child({ a: 1 });
    expect([child.debug('x'), child.info('x'), child.warn({}), child.error({}, 'x')]).toEqual(
      Array(4).fill(undefined),
    );
  });
});
