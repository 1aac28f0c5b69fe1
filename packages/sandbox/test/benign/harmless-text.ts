import { fails, gives, type Snippet } from './snippet.ts';

/** Text that looks like what a sandbox must refuse, in places where it is only text. */
export const harmlessText: readonly Snippet[] = [
  gives('a string with import(', `"see import('fs')"`, "see import('fs')"),
  gives(
    'single quotes, escapes and import(',
    String.raw`'\import("x") \'import (1)\' \\import("y")'`,
    `import("x") 'import (1)' \\import("y")`,
  ),
  gives('a string with eval( and require(', `'eval("1") require("fs")'`, 'eval("1") require("fs")'),
  gives('a string with HTML comments', `'<!-- hidden --> <!-->'`, '<!-- hidden --> <!-->'),
  gives(
    'a template with import(, --> and a substitution',
    '`<!-- ${1 + 1} --> import(${"x"}) eval(${`-->`})`',
    '<!-- 2 --> import(x) eval(-->)',
  ),
  gives(
    'a raw template',
    'String.raw`import(\\n) <!-- ${1} \\u{41}`',
    String.raw`import(\n) <!-- 1 \u{41}`,
  ),
  gives(
    'a tag that sees cooked and raw text',
    'const tag = (s, ...v) => [s[0], s.raw[0], v, Object.isFrozen(s)];\ntag`import(\\t${5}-->`',
    ['import(\t', String.raw`import(\t`, [5], true],
  ),
  gives(
    'line and block comments',
    '// await import("fs") <!-- -->\n/* eval("x")\n   import("y") --> */\nconst a = 1; // require("z")\na',
    1,
  ),
  gives('a JSDoc type import', '/** @type {import("fs").Stats} */\nconst s = 3;\ns', 3),
  gives('a comment that ends in import, then a bracket', '/* import */ (7)', 7),
  gives(
    'a regular expression with import(',
    String.raw`/import\(['"]x['"]\)/.test("import('x')")`,
    true,
  ),
  gives('a replacement of HTML comments', `'a<!-- b -->c'.replace(/<!--[\\s\\S]*?-->/g, '')`, 'ac'),
  gives('the source and flags of such an expression', '[/-->/gi.source, /<!--/u.flags]', [
    '-->',
    'u',
  ]),
  gives('a loop that counts down to zero', 'let i = 3, n = 0;\nwhile (i-->0) n += i;\nn', 3),
  gives('a loop that counts down, with blanks', 'let n = 0;\nfor (let i = 3; i --> 0;) n++;\nn', 3),
  gives('less than a negated decrement', 'let b = 2;\nconst smaller = 1<!--b;\nsmaller', false),
  gives(
    'methods called import, eval and require',
    'const bus = { import: (x) => x + 1, eval(x) { return x * 2; }, require: (x) => x };\nbus.import(1) + bus.eval(2) + bus.require(3)',
    9,
  ),
  gives('an optional call of such a method', 'const o = { eval: (x) => x };\no?.eval(4)', 4),
  gives(
    'a class with import and eval',
    'class Loader { import(x) { return [x]; } static eval(x) { return x; } }\n[new Loader().import(1), Loader.eval(2)]',
    [[1], 2],
  ),
  gives(
    'names that end in import and eval',
    'const reimport = (x) => x, $eval = (x) => x, my_import = (x) => x;\nreimport(1) + $eval(2) + my_import(3)',
    6,
  ),
  gives(
    'an object with such keys',
    'JSON.stringify({ "import(": 1, "-->": 2, "<!--": 3 })',
    '{"import(":1,"-->":2,"<!--":3}',
  ),
  gives(
    'HTML built from parts',
    'const rows = ["a", "b"].map((x) => `<li><!-- ${x} -->${x}</li>`);\n`<ul>${rows.join("")}</ul>`',
    '<ul><li><!-- a -->a</li><li><!-- b -->b</li></ul>',
  ),
  gives(
    'a source URL in a comment and in a string',
    '//# sourceURL=evil.js\n"//# sourceURL=x.js"',
    '//# sourceURL=x.js',
  ),
  gives(
    'a Mermaid chart',
    'const edges = [["a", "b"], ["b", "c"]];\nedges.map(([x, y]) => `${x}-->${y}`).join("\\n")',
    'a-->b\nb-->c',
  ),
  fails(
    'an error behind rewritten text keeps its column',
    'const s = "import("; const t = "-->"; null.x',
    {
      name: 'TypeError',
      line: 1,
      column: 44,
    },
  ),
  fails(
    'an error after a rewritten template keeps its line',
    'const s = `\nimport(\n-->\n`;\nthrow new Error(s.length)',
    {
      name: 'Error',
      line: 5,
      column: 7,
      message: '13',
    },
  ),
];
