/* oxlint-disable no-eval, typescript/no-unsafe-type-assertion -- what the evaluated text gives is what is tested */
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
});
