import { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { createHarness } from '@buddy/agents';
import { ManualClock } from '@buddy/core';
import { describe, expect, it } from 'vitest';
import { showProgress } from '../orchestrator/progress.ts';
import { createWorld, DEFAULT_ACTION } from '../world/tools.ts';

const TERMINAL = { isTTY: true, columns: 100, rows: 30 };

/** What is shown of a run of 9 tasks in 2 waves, one of which can never start. */
async function shownOn(terminal: object, environment: Record<string, string> = {}) {
  let shown = '';
  const screen = new Writable({
    decodeStrings: false,
    write: (text: string, _encoding, done) => {
      shown += text;
      done();
    },
  });
  const stream = Object.assign(screen, terminal);
  const clock = new ManualClock();
  const world = { seed: 23, truth: new Map(), environment: { DRY_RUN: 'true' } };
  const harness = createHarness(
    { defaultAction: DEFAULT_ACTION, allowUngoverned: true },
    { tools: createWorld(world, clock).tools, clock },
  );
  const progress = showProgress(harness, { stream, environment });
  await harness.load({
    tasks: Array.from(
      { length: 9 },
      (_, at) =>
        `${JSON.stringify({
          task_id: `t${at}`,
          wave: 1 + (at % 2),
          predicted_success_probability: 1,
          ...(at === 8 && { action: 'no.such.tool' }),
        })}\n`,
    ),
  });
  await clock.run(() => harness.run());
  progress.stop();
  return shown;
}

const LINES = [
  '9 tasks loaded; waves to run: 1, 2',
  expect.stringMatching(/^wave 1: 4\/4 done, 4 completed, 0 retries, /),
  expect.stringMatching(/^wave 2: 4\/4 done, 4 completed, 0 retries, health \d+ [A-Z]+$/),
  '',
];

describe('the progress of a run', () => {
  it('is a bar for each wave on a terminal, full at the end', async () => {
    const shown = await shownOn(TERMINAL);
    expect(shown).toContain('\u001b[');
    const last = stripVTControlCharacters(shown).trimEnd().split('\n').slice(-2);
    expect(last).toEqual([
      expect.stringMatching(/^█{24} wave 1: 4\/4 done, 4 completed, 0 retries/),
      expect.stringMatching(/^█{24} wave 2: 4\/4 done, 4 completed, 0 retries/),
    ]);
  });

  it.each<[string, object, Record<string, string>]>([
    ['a file or a pipe', {}, {}],
    ['a terminal, with NO_COLOR', TERMINAL, { NO_COLOR: '1' }],
    ['a terminal that can do nothing', TERMINAL, { TERM: 'dumb' }],
    ['a terminal without a width', { ...TERMINAL, columns: 0 }, {}],
  ])('is a plain line for each wave on %s', async (_name, terminal, environment) => {
    const lines = (await shownOn(terminal, environment)).split('\n');
    expect(lines).toEqual(LINES);
    expect(lines.join('')).not.toContain('\u001b');
  });

  it('is drawn when NO_COLOR is there but empty, as the convention has it', async () => {
    expect(await shownOn(TERMINAL, { NO_COLOR: '' })).toContain('█');
  });
});
