import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_INPUT, DEFAULT_POLICY, HELP, parseArguments } from '../orchestrator/arguments.ts';

const parse = (...args: string[]) => parseArguments(args, '/home/ada');

describe('the arguments of the main job', () => {
  it('have a default each: the shipped data, seed 23, four agents, all waves, no real waiting', () => {
    expect(parse()).toEqual({
      kind: 'run',
      arguments: {
        input: DEFAULT_INPUT,
        out: undefined,
        seed: 23,
        agents: 4,
        strategy: 'load_balanced',
        waves: undefined,
        clock: 'manual',
        speed: 1,
        wire: false,
        faults: false,
        faultEvery: 10,
        policy: DEFAULT_POLICY,
        approveAll: false,
        force: false,
        json: false,
      },
    });
    expect(DEFAULT_INPUT).toBe(join(import.meta.dirname, '..', 'data', 'phase20'));
  });

  it('can all be given', () => {
    expect(
      parse(
        ...'--input in --out=/tmp/out --seed 0 --agents 1000 --strategy priority --waves 2-4 --clock real --speed 60 --wire --faults --fault-every 3 --policy p.yaml --approve-all-dev --force --json'.split(
          ' ',
        ),
      ),
    ).toEqual({
      kind: 'run',
      arguments: {
        input: '/home/ada/in',
        out: '/tmp/out',
        seed: 0,
        agents: 1_000,
        strategy: 'priority',
        waves: { from: 2, to: 4 },
        clock: 'real',
        speed: 60,
        wire: true,
        faults: true,
        faultEvery: 3,
        policy: '/home/ada/p.yaml',
        approveAll: true,
        force: true,
        json: true,
      },
    });
  });

  it('put the wire on the real clock, 20 times as fast unless told otherwise', () => {
    expect(parse('--wire')).toMatchObject({ arguments: { wire: true, clock: 'real', speed: 20 } });
    expect(() => parse('--wire', '--clock', 'manual')).toThrow('--wire runs on the real clock');
    expect(() => parse('--speed', '2')).toThrow('--speed is for the real clock');
    expect(() => parse('--clock', 'real', '--speed', '0')).toThrow('--speed takes a whole number');
  });

  it('break things only over the wire, and then let time pass less fast: healing takes its own', () => {
    expect(parse('--wire', '--faults')).toMatchObject({
      arguments: { wire: true, faults: true, faultEvery: 10, clock: 'real', speed: 5 },
    });
    expect(() => parse('--faults')).toThrow('--faults breaks the servers of --wire; add --wire');
    expect(() => parse('--wire', '--fault-every', '3')).toThrow('--fault-every is for --faults');
    expect(() => parse('--wire', '--faults', '--fault-every', '3601')).toThrow(
      '--fault-every takes',
    );
  });

  it('take paths as relative to the folder of the caller', () => {
    expect(parse('--input', '../data', '--out', 'runs/a')).toMatchObject({
      arguments: { input: '/home/data', out: '/home/ada/runs/a' },
    });
  });

  it.each(['round_robin', 'load_balanced', 'priority', 'confidence'])('know %s', (strategy) => {
    expect(parse('--strategy', strategy)).toMatchObject({ arguments: { strategy } });
  });

  it('take one wave as a range of one', () => {
    expect(parse('--waves', '3')).toMatchObject({ arguments: { waves: { from: 3, to: 3 } } });
  });

  it('can be to go on with a run, and then say no more than who approves', () => {
    expect(parse('--go-on', 'out/run-1')).toEqual({
      kind: 'goOn',
      arguments: { run: '/home/ada/out/run-1', approveAll: false, json: false },
    });
    expect(parse('--go-on', '/r', '--json', '--approve-all-dev')).toMatchObject({
      arguments: { run: '/r', approveAll: true, json: true },
    });
  });

  it('can be to stop a run that another process works on, and nothing else then', () => {
    expect(parse('--cancel', 'out/run-1')).toEqual({
      kind: 'cancel',
      arguments: { run: '/home/ada/out/run-1', json: false },
    });
    expect(() => parse('--cancel', 'r', '--resume', 'r')).toThrow('leave out --resume');
    expect(() => parse('--cancel', ' ')).toThrow('--cancel needs a folder');
  });

  it('can be to resume a run, which is another way to go on', () => {
    expect(parse('--resume', 'out/run-1', '--approve-all-dev')).toEqual({
      kind: 'resume',
      arguments: { run: '/home/ada/out/run-1', approveAll: true, json: false },
    });
    expect(() => parse('--resume', 'r', '--seed', '1')).toThrow(
      '--resume takes --seed from the run',
    );
    expect(() => parse('--resume', 'r', '--go-on', 'r')).toThrow('two ways to go on');
  });

  it.each(['--help', '-h'])('ask for help with %s, whatever else is said', (flag) => {
    expect(parse(flag, '--seed', 'x')).toEqual({ kind: 'help' });
  });

  it.each([
    [['--seed', 'x'], '--seed takes a whole number from 0'],
    [['--seed', '1.5'], '--seed'],
    [['--seed', ''], '--seed'],
    [['--seed', '99999999999999999999'], '--seed'],
    [['--seed=-1'], '--seed'],
    [['--seed'], '--seed'],
    [['--agents', '0'], '--agents takes a whole number from 1 to 1000, not "0"'],
    [['--agents', '1001'], '--agents'],
    [['--agents', '4 '], '--agents'],
    [['--strategy', 'luck'], '--strategy takes one of '],
    [['--waves', '4-2'], '--waves takes a range such as 2-4, or one wave, not "4-2"'],
    [['--waves', '0'], '--waves'],
    [['--waves', '1-'], '--waves'],
    [['--waves', '1-2-3'], '--waves'],
    [['--waves', 'all'], '--waves'],
    [['--clock', 'sand'], '--clock takes one of manual, real, not "sand"'],
    [['--input', ''], '--input needs a folder'],
    [['--input'], '--input'],
    [['--out', ' '], '--out needs a folder'],
    [['--policy', ''], '--policy needs a file'],
    [['--go-on', ''], '--go-on needs a folder'],
    [['--go-on', 'a', '--seed', '1'], '--go-on takes --seed from the run that goes on'],
    [['--go-on', 'a', '--force'], '--go-on takes --force'],
    [['--force=yes'], '--force'],
    [['--json=1'], '--json'],
    [['--sed', '23'], '--sed'],
    [['data'], 'data'],
  ])('%j are refused, and the message names the option', (args, message) => {
    expect(() => parse(...args)).toThrow(
      expect.objectContaining({
        code: 'EXAMPLES_USAGE',
        message: expect.stringContaining(message),
      }),
    );
  });

  it('are all in the help', () => {
    const options =
      '--input --out --force --seed --agents --strategy --waves --clock --wire --faults --fault-every --speed --policy --approve-all-dev --go-on --resume --json --help'.split(
        ' ',
      );
    for (const option of options) expect(HELP).toContain(`  ${option} `);
  });
});
