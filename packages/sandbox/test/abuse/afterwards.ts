/** What the next run looks at, when an attempt does not say: the language is whole, and nothing was left behind. */
export const AFTERWARDS = {
  code: `const found = [];
found.push([3, 1, 2].sort().map((n) => n + 1).join());
found.push(Object.keys({ a: 1 }).length, ({}).polluted === undefined, [].polluted === undefined);
found.push(Math.max(1, 2), JSON.stringify({ a: [1] }), new Map([[1, 2]]).get(1), 'abc'.replace(/b/, 'x'));
found.push(await Promise.resolve(7), typeof globalThis.leftBehind, new Date(5).getTime(), Array.isArray([]));
found.push(await tools.echo('hello'), String(Symbol('s').description), [...new Set([1, 1])].length);
return found;`,
  value: [
    '2,3,4',
    1,
    true,
    true,
    2,
    '{"a":[1]}',
    2,
    'axc',
    7,
    'undefined',
    5,
    true,
    'hello',
    's',
    1,
  ],
} as const;
