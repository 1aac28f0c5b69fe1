import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { follow, stories } from './graph/mailbox-model.ts';

describe('a mailbox of the Graph mock', () => {
  it('is what a small model says, whatever is done to it', () =>
    fc.assert(
      fc.asyncProperty(stories, async (story) => {
        expect(await follow(story)).toBe(story.length);
      }),
      { numRuns: 60 },
    ));
});
