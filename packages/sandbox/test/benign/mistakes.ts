import { fails, gives, type Snippet } from './snippet.ts';

/** Programs that are wrong: what is said has to lead to the place. */
export const mistakes: readonly Snippet[] = [
  fails('a misspelt variable', 'const customers = [1];\nconst total = custmers.length;\ntotal', {
    name: 'ReferenceError',
    line: 2,
    column: 15,
    message: 'custmers is not defined',
    hint: 'Did you mean customers?',
  }),
  fails('a misspelt global', 'const x = 1;\n  Mtah.max(x, 2)', {
    name: 'ReferenceError',
    line: 2,
    column: 3,
    hint: 'Did you mean Math?',
  }),
  fails('the case of a name', 'json.parse("{}")', {
    name: 'ReferenceError',
    line: 1,
    column: 1,
    hint: 'import json',
  }),
  fails('a module that was not imported', 'const d = 1;\nitertools.pairwise([1])', {
    name: 'ReferenceError',
    line: 2,
    column: 1,
    hint: "import itertools from 'itertools'",
  }),
  fails('a misspelt export', "import { sqroot } from 'math';\nsqroot(4)", {
    name: 'ReferenceError',
    line: 1,
    column: 10,
    message: 'Module "math" has no export "sqroot"',
  }),
  fails('a name of another scope', 'for (const row of [1]) {\n  const last = row;\n}\nlast', {
    name: 'ReferenceError',
    line: 4,
    column: 1,
    hint: 'another scope',
  }),
  fails('a name of Python', 'const a = None', {
    name: 'ReferenceError',
    line: 1,
    column: 11,
    hint: 'null',
  }),
  fails('an assignment to an undeclared name', 'count = 0;\ncount + 1', {
    name: 'ReferenceError',
    line: 1,
    column: 1,
    hint: 'Declare it first: let count.',
  }),
  fails(
    'a misspelt name deep in a function',
    'const rows = [{ price: 1 }];\nconst sum = rows.map((row) => {\n  if (row.price > 0) {\n    return rwo.price;\n  }\n  return 0;\n});',
    { name: 'ReferenceError', line: 4, column: 12, hint: 'Did you mean row' },
  ),
  fails('a misspelt method', 'const list = [1, 2];\nlist.psuh(3);', {
    name: 'TypeError',
    line: 2,
    column: 6,
    message: 'list.psuh is not a function',
  }),
  fails(
    'a property of undefined',
    'const user = { name: "x" };\nconst city = user.address.city;\ncity',
    {
      name: 'TypeError',
      line: 2,
      column: 27,
      message: "Cannot read properties of undefined (reading 'city')",
    },
  ),
  fails(
    'a property of undefined in a callback',
    'const rows = [{ a: { b: 1 } }, {}];\nconst all = rows.map((row) =>\n  row.a.b,\n);',
    { name: 'TypeError', line: 3, column: 9 },
  ),
  fails('a change of a constant', 'const a = 1;\na = 2;', {
    name: 'TypeError',
    line: 2,
    column: 3,
    message: 'Assignment to constant variable.',
  }),
  fails('an unfinished string', 'const a = "abc;\na', { name: 'SyntaxError', line: 1, column: 11 }),
  fails('a bracket that is missing', 'const a = [1, 2;\na', {
    name: 'SyntaxError',
    line: 1,
    column: 16,
  }),
  fails('a brace too many', 'if (true) {\n  1;\n}}', { name: 'SyntaxError', line: 3, column: 2 }),
  fails('a brace too few', 'function f() {\n  return 1;\n', {
    name: 'SyntaxError',
    line: 3,
    column: 1,
  }),
  fails('two declarations of one name', 'let a = 1;\nlet a = 2;', {
    name: 'SyntaxError',
    line: 2,
    column: 5,
  }),
  fails('Python', 'def main():\n    return 1', { name: 'SyntaxError', line: 1, column: 5 }),
  fails(
    'an await in a function that is not async',
    'const load = () => {\n  const x = await Promise.resolve(1);\n  return x;\n};\nload()',
    { name: 'SyntaxError', line: 2, column: 13, hint: 'async' },
  ),
  fails('a JSON error', 'JSON.parse("{bad json}")', { name: 'SyntaxError', line: 1, column: 6 }),
  fails('a BigInt mixed with a number', 'const a = 1n;\nconst b = a + 1;', {
    name: 'TypeError',
    line: 2,
    column: 13,
  }),
  fails('a stack that overflows', 'function f(n) {\n  return f(n + 1) + 1;\n}\nf(0)', {
    name: 'RangeError',
    line: 2,
    message: 'Maximum call stack size exceeded',
  }),
  fails('an invalid array length', 'const n = -1;\nnew Array(n)', {
    name: 'RangeError',
    line: 2,
    column: 1,
  }),
  fails(
    "an error of one's own, from a function",
    'class PriceError extends Error {\n  name = "PriceError";\n}\nfunction check(p) {\n  if (p < 0) throw new PriceError("below zero");\n}\ncheck(-1);',
    { name: 'PriceError', line: 5, column: 20, message: 'below zero' },
  ),
  fails(
    'a rejection',
    'const load = async () => {\n  await null;\n  throw new Error("gone");\n};\nawait load();',
    { name: 'Error', line: 3, column: 9, message: 'gone' },
  ),
  fails(
    'an error in a timer',
    'await new Promise((resolve) => {\n  setTimeout(() => {\n    undefined.x;\n  }, 1);\n});',
    { name: 'TypeError', line: 3, column: 15 },
  ),
  fails(
    'an error in a getter',
    'const o = {\n  get bad() {\n    throw new Error("in a getter");\n  },\n};\no.bad',
    { name: 'Error', line: 3, column: 11 },
  ),
  fails('an error in a module of the library', "import { sqrt } from 'math';\n\nsqrt(-1)", {
    name: 'RangeError',
    line: 3,
    column: 1,
    message: 'math domain error',
  }),
  fails('a tool that is misspelt', 'await tools.shop.orderz({})', {
    name: 'TypeError',
    line: 1,
    message: 'tools.shop has no orderz; it has orders, order, flaky',
  }),
  fails('an input that a tool refuses', 'const x = 1;\nawait tools.shop.order({ ids: "o1" });', {
    name: 'ToolInputError',
    line: 2,
  }),
  fails('a function as the value', '() => () => 1', {
    name: 'ResultError',
    line: null,
    message: 'The value is a function, which is not data',
    hint: 'plain data',
  }),
  fails('a generator as the value', 'function* g() { yield 1; }\ng()', {
    name: 'ResultError',
    line: null,
    message: 'The value is an iterator, which is read once; spread it: [...it]',
  }),
  fails(
    'an error of a class without a constructor',
    'class LimitError extends Error {}\nconst check = () => {\n  throw new LimitError("too much");\n};\ncheck()',
    { name: 'Error', line: 3, column: 9 },
  ),
  fails(
    'an error thrown by a constructor',
    'class Range {\n  constructor(a, b) {\n    if (a > b) throw new RangeError("a > b");\n  }\n}\nnew Range(2, 1)',
    { name: 'RangeError', line: 3, column: 22 },
  ),
  fails(
    'something thrown that cannot be read',
    'throw new Proxy(new Error("x"), { getOwnPropertyDescriptor() { throw 1; } });',
    { name: 'Thrown', line: null, message: '[unreadable]' },
  ),
  fails('something thrown that is no error', 'throw { code: 7 };', {
    name: 'Thrown',
    line: null,
    message: '{code: 7}',
  }),
  fails('CommonJS', 'module.exports = async () => 1;', {
    name: 'ReferenceError',
    line: 1,
    column: 1,
    hint: 'Use export default',
  }),
  gives(
    'an error that is caught',
    'let said;\ntry { missing.x; } catch (e) { said = e.name; }\nsaid'.replace(
      'missing',
      'undefined',
    ),
    'TypeError',
  ),
];
