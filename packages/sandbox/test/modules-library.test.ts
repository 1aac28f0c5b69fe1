/* oxlint-disable no-eval, typescript/no-unsafe-type-assertion -- what the evaluated text gives is what is tested */
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import {
  moduleDeclarations,
  moduleExports,
  moduleNames,
  moduleSources,
} from '../src/modules/module-library.ts';

const names =
  'math random string collections re itertools functools operator datetime time json decimal'.split(
    ' ',
  );
describe('the module library', () => {
  it('names the twelve modules of the allow-list, and no others', () => {
    expect(moduleNames).toEqual(names);
    expect(Object.keys(moduleSources)).toEqual(names);
    expect(moduleSources['constructor']).toBeUndefined();
    expect(Object.isFrozen(moduleSources)).toBe(true);
  });

  it.each(names)('declares all that %s exports, and nothing else', (name) => {
    const text = moduleDeclarations[name] ?? '';
    const functions = [...text.matchAll(/^ {2}export (?:function|class) (\w+)/gm)].map(
      ([, id]) => id,
    );
    const constants = [...text.matchAll(/^ {2}export const ([^;]*);/gm)]
      .flatMap(([, list = '']) => [...list.matchAll(/(\w+):/g)])
      .map(([, id]) => id);
    const declared = [...functions, ...constants];
    expect(new Set(declared)).toEqual(new Set(moduleExports.get(name)));
  });

  it.each(names)('freezes %s and what it exports', (name) => {
    const namespace: unknown = (0, eval)(moduleSources[name] ?? '');
    expect(Object.isFrozen(namespace)).toBe(true);
    for (const value of Object.values(namespace as object))
      expect(Object.isFrozen(value)).toBe(true);
  });

  it('loads and works in a SES compartment', async () => {
    // In a worker: lockdown would freeze the realm of the test runner.
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
       require(${JSON.stringify(new URL(import.meta.resolve('ses')).pathname)});
       lockdown({ errorTaming: 'safe' });
       const compartment = new Compartment({ globals: { Date, Math }, __options__: true });
       const load = (name) => harden(compartment.evaluate(workerData[name]));
       const all = Object.keys(workerData).map(load).length;
       const { Decimal } = load('decimal');
       const { Counter, deque } = load('collections');
       const { timedelta, datetime } = load('datetime');
       parentPort.postMessage([
         all,
         String(new Decimal('0.1').add('0.2')),
         new Counter('abca').most_common(1),
         [...new deque([1, 2])],
         datetime.fromisoformat('2026-11-21').add(new timedelta({ days: 1 })).isoformat(),
         load('re').sub('(a)', String.raw\`<\\1>\`, 'banana'),
         new (load('random').Random)(1).random() < 1,
       ]);`,
      { eval: true, workerData: { ...moduleSources } },
    );
    const answer = await new Promise((resolve, reject) =>
      worker.on('message', resolve).on('error', reject),
    );
    await worker.terminate();
    expect(answer).toEqual([
      12,
      '0.3',
      [['a', 2]],
      [1, 2],
      '2026-11-22T00:00:00',
      'b<a>n<a>n<a>',
      true,
    ]);
  });
});
