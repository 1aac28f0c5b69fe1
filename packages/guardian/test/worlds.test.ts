import { builtinPlaybooks } from '@buddy/guardian';
import { expect, it } from 'vitest';
import { worlds } from './worlds/index.ts';

it('gives each playbook of this package a world in which it can be tried, and no other', () => {
  const ids = builtinPlaybooks.map(({ id }) => id);
  expect(Object.keys(worlds).toSorted()).toEqual(ids.toSorted());
});
