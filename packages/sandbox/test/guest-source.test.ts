/* oxlint-disable no-eval, typescript/no-unsafe-type-assertion -- what the evaluated text gives is what is tested */
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { classifyModule } from '../src/guest-source/classify-module.ts';
import type { GuestSource, ReadySource } from '../src/guest-source/guest-source.ts';
import {
  type GuestSourceOptions,
  prepareGuestSource,
} from '../src/guest-source/prepare-guest-source.ts';
import { prepareModuleSource } from '../src/guest-source/prepare-module-source.ts';

const globals = new Set(
  (
    'Array BigInt Boolean Date Error Infinity JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError ' +
    'Reflect RegExp Set String Symbol TypeError WeakMap console decodeURIComponent encodeURIComponent eval globalThis ' +
    'input isNaN parseFloat parseInt undefined'
  ).split(' '),
);
const modules = new Map([
  ['math', ['pi', 'sqrt', 'floor']],
  ['acme/util', ['default', 'twice', 'a-b']],
]);
const namespaces = {
  __proto__: null,
  math: { pi: 3, sqrt: Math.sqrt, floor: Math.floor },
  'acme/util': { default: () => 'by default', twice: (x: number) => x * 2, 'a-b': 7 },
};

function prepare(code: string, options: Partial<GuestSourceOptions> = {}): GuestSource {
  return prepareGuestSource(code, { globals, modules, ...options });
}

function ready(code: string): ReadySource {
  const outcome = prepare(code);
  if (outcome.kind !== 'ready') throw new Error(`${code}: ${JSON.stringify(outcome)}`);
  return outcome;
}

async function run(code: string): Promise<unknown> {
  const call = (0, eval)(ready(code).source) as (given: object) => Promise<unknown>;
  return call({
    ...Object.fromEntries([...globals].map((name) => [name, Reflect.get(globalThis, name)])),
    input: { n: 20 },
    modules: namespaces,
  });
}

function errorOf(code: string, options?: Partial<GuestSourceOptions>) {
  const outcome = prepare(code, options);
  if (outcome.kind !== 'rejected') throw new Error(`${code}: ${JSON.stringify(outcome)}`);
  return outcome.error;
}

function violationOf(code: string) {
  const outcome = prepare(code);
  if (outcome.kind !== 'violation') throw new Error(`${code}: ${JSON.stringify(outcome)}`);
  return outcome.violation;
}

const benign: [code: string, value: unknown][] = [
  ['1 + 1', 2],
  ['1 + 1;', 2],
  ['const a = 1;\nconst b = 2;\na + b', 3],
  ['const a = 1', undefined],
  ['', undefined],
  ['// nothing', undefined],
  ['"see import(\'x\')"', "see import('x')"],
  [String.raw`'\import("x") and \\import(1)'`, 'import("x") and \\import(1)'],
  ["const s = 'call eval(x) or import (y)'; s", 'call eval(x) or import (y)'],
  ['"<!-- -->" + "<!-->"', '<!-- --><!-->'],
  ['`a <!-- ${1 + 1} --> import(x)`', 'a <!-- 2 --> import(x)'],
  ['String.raw`import(\\n) ${1} <!--`', 'import(\\n) 1 <!--'],
  [
    'const tag = (s, ...v) => [s.length, s.raw.length, Object.isFrozen(s), v];\ntag`-->${1}${[2].map((x) => `import(${x})`)}`',
    [3, 3, true, [1, ['import(2)']]],
  ],
  ['function T() { return function () { this.x = 1; }; }\nnew T`import()`().x', 1],
  ['/import(x)/.test("importx")', true],
  ['/-->/.source + /import(a)/gi.source', '-->import(a)'],
  ['[/[*-->]/.test("+"), /(?<!--)a/.test("-a"), /[<!--]/.test("+")]', [true, true, true]],
  ['const r = "x-->y".replace(/-->/g, "import(");\nr', 'ximport(y'],
  ['// import("x") <!-- -->\n/* eval(1) */ 5', 5],
  ['/* ends in import */\n(7)', 7],
  ['//# sourceURL=evil.js\n8', 8],
  ['let i = 3, n = 0; while (i --> 0) n++; n', 3],
  ['let i = 3, n = 0; while (i-->0) n++; n', 3],
  ['let b = 2; 1<!--b', false],
  ['({ import(x) { return x; }, eval(y) { return y + 1; } }).eval(4)', 5],
  ['const o = { import: (x) => x }; o. import(3)', 3],
  ['const $import = (x) => x; $import(9)', 9],
  ['eval("1 + 1")', 2],
  [
    'class A { import() { return 1; } static eval() { return 2; } }\nnew A().import() + A.eval()',
    3,
  ],
  ['await Promise.resolve(4)', 4],
  ['const x = await Promise.all([1, Promise.resolve(2)]);\nx', [1, 2]],
  ['for await (const x of [1]) { if (x) return x; }', 1],
  ['return 5', 5],
  ['if (input.n > 10) { return "many"; }\n"few"', 'many'],
  ['if (input.n > 10) { "many" } else "few"', 'many'],
  ['try { JSON.parse("{") } catch { "bad" }', 'bad'],
  ['try { 1 } finally { 2 }', 1],
  ['async () => 3', 3],
  ['(input) => input.n * 2', 40],
  ['async ({ n }) => {\n  return n;\n};', 20],
  ['(async () => { return 6; })', 6],
  ['(async () => { return 6; })()', 6],
  ['function (x) { return x.n; }', 20],
  ['async function main(x) { return x.n + 1; }', 21],
  ['async function main() { return 1; }\nmain()', 1],
  ['const k = 2;\n(x) => x.n * k', 40],
  ['export default async function (x) { return x.n; }', 20],
  [
    'export default function main(x) { return helper(x); }\nfunction helper(x) { return x.n - 1; }',
    19,
  ],
  ['export default (x) => x.n', 20],
  ['export default 1 + 2', 3],
  ['export const a = 1;\nexport { a as default };', 1],
  ['const main = () => 2;\nexport default main;', 2],
  ['{ a: 1, b: [2] }', { a: 1, b: [2] }],
  ['{ const a = 1; a }', 1],
  ['```js\n1 + 1\n```', 2],
  ['Here you are:\n\n```ts\nconst x: number = 2; x\n```\nIt doubles.', 2],
  ['~~~\n3\n~~~', 3],
  ["import math from 'math'; math.sqrt(16)", 4],
  ["import * as m from 'math';\nm.pi", 3],
  ["const r = s(9);\nimport { sqrt as s, pi } from 'math';\nr + pi", 6],
  [
    "import util, { twice, 'a-b' as ab } from 'acme/util';\n[util(), twice(2), ab]",
    ['by default', 4, 7],
  ],
  ["import 'math';\n1", 1],
  ["import { default as u } from 'acme/util'; u()", 'by default'],
  ['const x: number = 5; x', 5],
  ['interface Order { id: string }\nconst f = (o: Order): string => o.id;\nf({ id: "7" })', '7'],
  ['const ids = <T,>(xs: T[]): T[] => xs;\nids<number>([1])', [1]],
  ['const n = (input as { n: number }).n!; n satisfies number', 20],
  [
    'parse<number>("5");\nfunction parse<T>(text: string): T { return JSON.parse(text) as T; }\nparse<number>("6")',
    6,
  ],
  ['function parse(text) { return Number(text); }\nconst T = 1; parse("6")', 6],
  ['typeof missing', 'undefined'],
  ['typeof missing === "undefined" ? "none" : missing.x', 'none'],
  ['const { a: { b = 2 } = {}, ...rest } = { c: 3 }; [b, rest]', [2, { c: 3 }]],
  [
    'outer: for (const x of [1, 2]) { for (const y of [1]) { if (x === 2) return [x, y]; continue outer; } }',
    [2, 1],
  ],
  ['try { throw new Error("e") } catch ({ message }) { message }', 'e'],
  ['var x = hoisted(); function hoisted() { return y; } var y; x', undefined],
  ['if (true) { var v = 4; } v', 4],
  [
    'class A { #p = 1; static { this.s = 2; } get p() { return this.#p; } }\n[new A().p, A.s]',
    [1, 2],
  ],
  ['const f = function g(n) { return n ? g(n - 1) : arguments.length; }; f(2)', 1],
  ['let x = 1; { let x = 2; } switch (x) { case 1: let z = 3; return z; }', 3],
  ['/(?<year>\\d{4})/.exec("in 2026").groups.year', '2026'],
  ['"use strict"; this === undefined', true],
  ['#!/usr/bin/env node\n1', 1],
  ['const fn = (a, { b = a } = {}) => a + b; fn(1)', 2],
  ['const s = `\n-->\n`; s.length', 5],
  ['[..."héllo"].length', 5],
  ['const await_ = 1; await_', 1],
];

describe('the gate', () => {
  it.each(benign)('runs %j', async (code, value) => {
    expect(await run(code)).toEqual(value);
  });

  it('binds only the globals that the code names, and no others', () => {
    expect(ready('Math.max(input.n, 1)').source).toContain('const{Math,input}=arguments[0];');
    expect(ready('const Math = 1; Math').source).not.toContain('arguments[0]');
  });

  it('keeps lines, and finds columns again', async () => {
    const code = 'const s = "import(";\nconst t = "-->"; null.x;\nlast';
    const source = ready(code.replace('last', '1'));
    const line = source.source.split('\n')[1] ?? '';
    const column = line.indexOf('null.x') + 1;
    expect(column).not.toBe(18);
    expect(source.originalPosition(2, column)).toEqual({ line: 2, column: 18 });
    expect(source.originalPosition(1, source.columnOffset + 1)).toEqual({ line: 1, column: 1 });
    const returned = ready('1;\n null.x');
    expect(returned.originalPosition(2, 'return '.length + 2)).toEqual({ line: 2, column: 2 });
    expect(source.lineOffset).toBe(0);
  });

  it('lists what the code imports', () => {
    expect(ready("import m from 'math'; import { pi } from 'math'; m").imports).toEqual(['math']);
    expect(ready('const x: number = 1; x').language).toBe('typescript');
  });
});

describe('an import that is not allowed', () => {
  it.each([
    ["import fs from 'node:fs';", 'FILESYSTEM_ATTEMPT', 1],
    ["\nimport { readFile } from 'fs/promises';", 'FILESYSTEM_ATTEMPT', 2],
    ["import net from 'net'", 'NETWORK_ACCESS_ATTEMPT', 1],
    ["export { get } from 'https'", 'NETWORK_ACCESS_ATTEMPT', 1],
    ["export * from 'node:child_process'", 'SUBPROCESS_ATTEMPT', 1],
    ["1;\n\nawait import('child_process')", 'SUBPROCESS_ATTEMPT', 3],
    ["import x from './local.js'", 'IMPORT_ALLOWLIST_VIOLATION', 1],
    ["import x from 'https://example.com/x.js'", 'IMPORT_ALLOWLIST_VIOLATION', 1],
    ["import x from 'data:text/javascript,1'", 'IMPORT_ALLOWLIST_VIOLATION', 1],
    ["import x from '__proto__'", 'IMPORT_ALLOWLIST_VIOLATION', 1],
    ["import x from 'constructor'", 'IMPORT_ALLOWLIST_VIOLATION', 1],
    ["import x from 'toString'", 'IMPORT_ALLOWLIST_VIOLATION', 1],
    ["import x from 'Math'", 'IMPORT_ALLOWLIST_VIOLATION', 1],
    ["import('math')", 'IMPORT_ALLOWLIST_VIOLATION', 1],
    ['const x = 1;\nimport(x)', 'IMPORT_ALLOWLIST_VIOLATION', 2],
    ['import/**/("x")', 'IMPORT_ALLOWLIST_VIOLATION', 1],
    ['`${import("x")}`', 'IMPORT_ALLOWLIST_VIOLATION', 1],
    ['import.meta.url', 'IMPORT_ALLOWLIST_VIOLATION', 1],
    ['import.source("x")', 'IMPORT_ALLOWLIST_VIOLATION', 1],
    ['import . defer("x")', 'IMPORT_ALLOWLIST_VIOLATION', 1],
    ['import source x from "x"', 'IMPORT_ALLOWLIST_VIOLATION', 1],
    ['import defer * as x from "x"', 'IMPORT_ALLOWLIST_VIOLATION', 1],
    ['new (import("x"))', 'IMPORT_ALLOWLIST_VIOLATION', 1],
    ['const f: number = 1;\nimport("x")', 'IMPORT_ALLOWLIST_VIOLATION', 2],
  ])('is recorded: %j', (code, type, line) => {
    expect(violationOf(code)).toMatchObject({ type, line });
  });

  it('is told what there is instead', () => {
    expect(violationOf("import m from 'mth'").details).toBe(
      'Import of "mth" is not allowed. Did you mean "math"? Available: math, acme/util.',
    );
    expect(violationOf("await import('math')").details).toContain('Use a static import');
  });

  it('is classified by the names that Node, npm and Python know', () => {
    expect(classifyModule('node:dns/promises')).toBe('NETWORK_ACCESS_ATTEMPT');
    expect(classifyModule('subprocess')).toBe('SUBPROCESS_ATTEMPT');
    expect(classifyModule('fs-extra')).toBe('FILESYSTEM_ATTEMPT');
    expect(classifyModule('toString')).toBe('IMPORT_ALLOWLIST_VIOLATION');
  });
});

describe('code that cannot run', () => {
  it.each([
    ['const length = 1;\nlenght + 1', 'lenght is not defined', 2, 1, 'Did you mean length?'],
    ['1;\n  Mth.max(1)', 'Mth is not defined', 2, 3, 'Did you mean Math?'],
    ['math.sqrt(2)', 'math is not defined', 1, 1, "Did you forget `import math from 'math'`?"],
    ['sqrt(2)', 'sqrt is not defined', 1, 1, "Did you forget `import { sqrt } from 'math'`?"],
    ['const x = None', 'None is not defined', 1, 11, 'In JavaScript it is null.'],
    [
      '{ let inner = 1; }\ninner',
      'inner is not defined',
      2,
      1,
      'It is declared in another scope, which has ended here.',
    ],
    ['zzz(qqq)', 'zzz is not defined', 1, 1, 'Also not defined: qqq (line 1).'],
    ['total = 5', 'total is not defined', 1, 1, 'Declare it first: let total.'],
    [
      'arguments[0]',
      'arguments is not defined',
      1,
      1,
      'It exists inside functions only; the input of a run is `input`.',
    ],
    ['(() => arguments)()', 'arguments is not defined', 1, 8, expect.any(String)],
    ['const f = (a = b1) => a; f()', 'b1 is not defined', 1, 16, undefined],
    ['({ xyzzy })', 'xyzzy is not defined', 1, 4, undefined],
    [
      "import { sqr } from 'math'",
      'Module "math" has no export "sqr"',
      1,
      10,
      'Did you mean "sqrt"?',
    ],
  ])('names what is missing: %j', (code, message, line, column, hint) => {
    expect(errorOf(code)).toMatchObject({ kind: 'reference', message, line, column });
    expect(errorOf(code).hint).toEqual(hint);
  });

  it.each([
    ['const = 1', 1, 7],
    ['1;\nfoo(', 2, 5],
    ['let a; let a;', 1, 12],
    ['with (Math) {}', 1, 1],
    ['}); (() => {', 1, 1],
    ['}', 1, 1],
    ['const x: = 5', 1, 10],
    ['for (const x of [1]) { await x }}', 1, 33],
  ])('points at the syntax error: %j', (code, line, column) => {
    expect(errorOf(code)).toMatchObject({ kind: 'syntax', name: 'SyntaxError', line, column });
  });

  it('shows the place', () => {
    expect(errorOf('const a = 1;\nreturn b1;').frame).toBe(
      '  1 | const a = 1;\n> 2 | return b1;\n    |        ^',
    );
  });

  it.each([
    'enum Color { Red }',
    'class A { constructor(private x: number) {} }',
    'namespace N { export const a = 1; }',
  ])('says that TypeScript must be erasable: %j', (code) => {
    const error = errorOf(`1;\n${code}`);
    expect(error).toMatchObject({ kind: 'unsupported', line: 2 });
    expect(error.hint).toContain('Types are erased only');
  });

  it('is refused by size and by depth, of whatever kind', () => {
    expect(errorOf('1'.repeat(300), { maxSourceBytes: 299 }).message).toContain(
      'larger than 299 bytes',
    );
    expect(errorOf('"éé"', { maxSourceBytes: 5 }).message).toContain('larger than 5 bytes');
    const n = 60_000;
    for (const deep of [
      '(',
      '[',
      '{',
      '!',
      'a=>',
      'a?',
      'if(1)',
      '`${',
      '1+',
      'x=',
      'let [[',
      'new ',
      'f(',
      '({a:',
      '-',
      'a:',
      'else ',
      '/*',
    ]) {
      const outcome = prepare(deep.repeat(Math.floor(n / deep.length)));
      expect({ deep, kind: outcome.kind }).toEqual({ deep, kind: 'rejected' });
    }
    expect(errorOf(`${'['.repeat(60)}${']'.repeat(60)}`, { maxDepth: 50 }).message).toBe(
      'The code is nested too deeply',
    );
    expect(prepare(`"${'('.repeat(50_000)}"`).kind).toBe('ready');
    expect(prepare(`Math${'.a'.repeat(50_000)}`).kind).toBe('ready');
  });

  it('does not spoil the type stripper for those who come after', () => {
    for (const deep of ['(', '[', 'let x: A<', 'if(a)', 'a=>', '!', 'A<B,', '{']) {
      errorOf(`let t: number = 1;\n${deep.repeat(20_000)}`, { language: 'typescript' });
    }
    expect(prepare('let t: number = 1; t', { language: 'typescript' }).kind).toBe('ready');
  });
});

describe('a module of the user', () => {
  const options = { globals, modules };
  it('becomes a frozen namespace', () => {
    const code = `import { sqrt } from 'math';
      export const root = (x) => sqrt(x);
      export class Money { cents() { return 1; } }
      const hidden = 2;
      export { hidden as shown, hidden as default };
      export { pi } from 'math';`;
    const prepared = prepareModuleSource(code, options);
    if (prepared.kind !== 'ready') throw new Error(JSON.stringify(prepared));
    expect(prepared.exports).toEqual(['root', 'Money', 'shown', 'default', 'pi']);
    expect(prepared.imports).toEqual(['math']);
    const make = (0, eval)(prepared.source) as (given: object) => Record<string, unknown>;
    const namespace = make({ modules: namespaces });
    expect(namespace).toMatchObject({ shown: 2, default: 2, pi: 3 });
    expect(Object.getPrototypeOf(namespace)).toBeNull();
    expect(Object.isFrozen(namespace)).toBe(true);
    expect(Object.isFrozen(Reflect.get(namespace['Money'] as object, 'prototype'))).toBe(true);
  });

  it('passes the same gate', () => {
    expect(prepareModuleSource("import 'fs'", options).kind).toBe('violation');
    expect(prepareModuleSource('export const a = import("x")', options).kind).toBe('violation');
    expect(prepareModuleSource('export const a = mispelt', options)).toMatchObject({
      error: { kind: 'reference' },
    });
    expect(prepareModuleSource('await 1', options)).toMatchObject({
      error: { message: 'A module cannot await at its top level' },
    });
    expect(prepareModuleSource('return 1', options)).toMatchObject({
      error: { kind: 'unsupported' },
    });
    expect(prepareModuleSource("export * from 'math'", options)).toMatchObject({
      error: { kind: 'unsupported' },
    });
    expect(
      prepareModuleSource('export const f = async () => { await 1; return 2; }', options).kind,
    ).toBe('ready');
  });
});

// Chosen so that every pattern of SES, and every way to hide one, comes up often.
const fragments = fc.constantFrom(
  ...'import( import eval( <!-- --> -- > <! ! \\ / // /* */ ( . a $ { } [ ] ` " \' é # sourceURL= \\u{41} \\x41 0 im'.split(
    ' ',
  ),
  ' (',
  ' ',
  '\n',
  '\u2028',
);
const texts = fc.oneof(
  fc.array(fragments, { maxLength: 12 }).map((parts) => parts.join('')),
  fc.string(),
);

describe('whatever the text', () => {
  it('leaves the value of a string as it is', () =>
    fc.assert(
      fc.asyncProperty(texts, async (text) => {
        expect(await run(JSON.stringify(text))).toBe(text);
      }),
      { numRuns: 500 },
    ));

  it('leaves the value of a literal as plain JavaScript has it', () =>
    fc.assert(
      fc.asyncProperty(
        texts,
        fc.constantFrom('"', "'", '`', '/', 'String.raw`'),
        async (text, opening) => {
          const code = `${opening}${text.replaceAll('${', '$')}${opening.at(-1)}`;
          const expected = await evaluated(code);
          fc.pre(expected !== undefined);
          expect(String(await run(`[${code}][0]`))).toBe(expected);
        },
      ),
      {
        numRuns: 1000,
        // The text ends the literal; in a script, what follows would be a comment, but programs are modules, which have none.
        examples: [['"]<!--', '"']],
      },
    ));

  it('reads what looks like an HTML comment as the standard reads a module: as operators', async () => {
    const code = '[""]<!--b';
    expect((0, eval)(code)).toEqual(['']); // a script: a comment up to the end of the line
    await expect(evaluatedAsModule(`(() => { let b = 2; return ${code}; })()`)).rejects.toThrow(
      'HTML comments are not allowed in modules', // V8, which goes further than the standard
    );
    expect(await run(`let b = 2; [${code}, b]`)).toEqual([false, 1]);
    expect(errorOf('[""]<!--"]')).toMatchObject({ kind: 'syntax', line: 1 });
  });

  it('answers without throwing', () =>
    fc.assert(
      fc.property(
        texts,
        fc.constantFrom('auto' as const, 'typescript' as const),
        (text, language) => {
          expect(['ready', 'rejected', 'violation']).toContain(prepare(text, { language }).kind);
        },
      ),
      { numRuns: 500 },
    ));

  it('never lets a program out of its function', () =>
    fc.assert(
      fc.property(texts, (text) => {
        const outcome = prepare(text);
        if (outcome.kind !== 'ready') return;
        const reparsed = prepare(`(${outcome.source})`, {
          globals: new Set([...globals, 'arguments']),
        });
        expect(reparsed.kind).not.toBe('violation');
        expect(outcome.source.startsWith('(async function(){"use strict";')).toBe(true);
      }),
      { numRuns: 300 },
    ));
});

/** What plain JavaScript makes of a literal, or of what it became; undefined when that is no single text or expression. */
async function evaluated(code: string): Promise<string | undefined> {
  try {
    const value = await evaluatedAsModule(`[${code}]`);
    return Array.isArray(value) &&
      value.length === 1 &&
      (typeof value[0] === 'string' || value[0] instanceof RegExp)
      ? String(value[0])
      : undefined;
  } catch (error) {
    if (
      error instanceof SyntaxError ||
      error instanceof ReferenceError ||
      error instanceof TypeError
    )
      return undefined;
    throw error;
  }
}

/** V8's own word: a script would be read by other rules than the module that a program is. */
async function evaluatedAsModule(expression: string): Promise<unknown> {
  const source = encodeURIComponent(`export default ${expression}`);
  const { default: value } = (await import(`data:text/javascript,${source}`)) as {
    default: unknown;
  };
  return value;
}

describe('in a SES compartment', () => {
  // In a worker: lockdown would freeze the realm of the test runner.
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     require(${JSON.stringify(new URL(import.meta.resolve('ses')).pathname)});
     lockdown({ errorTaming: 'safe', consoleTaming: 'unsafe' });
     parentPort.on('message', async ({ source, modules }) => {
       try {
         const math = { pi: 3, sqrt: Math.sqrt, floor: Math.floor };
         const util = { default: () => 'by default', twice: (x) => x * 2, 'a-b': 7 };
         const compartment = new Compartment({ globals: { input: { n: 20 } }, __options__: true });
         const call = compartment.evaluate(source);
         const given = { __proto__: null, input: { n: 20 }, modules: { math, 'acme/util': util } };
         for (const name of Object.getOwnPropertyNames(compartment.globalThis)) given[name] ??= compartment.globalThis[name];
         parentPort.postMessage({ value: await call(given) });
       } catch (error) {
         parentPort.postMessage({ error: String(error) });
       }
     });`,
    { eval: true },
  );
  afterAll(() => worker.terminate());

  it.each(benign)('runs %j', async (code, value) => {
    const answer = new Promise((resolve) => worker.once('message', resolve));
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
    worker.postMessage({ source: ready(code).source });
    expect(await answer).toEqual({ value });
  });
});
