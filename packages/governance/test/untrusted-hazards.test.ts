import { hazardsOf } from '@buddy/governance';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('what a person is told of a text', () => {
  it.each([
    ['../../etc/passwd', ['path_traversal']],
    ['reports/../../secret', ['path_traversal']],
    [String.raw`..\windows`, ['path_traversal']],
    ['files/..', ['path_traversal']],
    ['..%2f..%2fetc', ['path_traversal']],
    ['%2e%2e/etc', ['path_traversal']],
    ['%252e%252e%252fetc', ['path_traversal']],
    ['<script>alert(1)</script>', ['markup']],
    ['</p>', ['markup']],
    ['<!-- hidden -->', ['markup']],
    ['pay \u202Elive', ['hidden_characters']],
    ['a\u200Bb', ['hidden_characters']],
    ['\u001B[31mred', ['hidden_characters']],
    ['<b>..\u2066/../x', ['hidden_characters', 'path_traversal', 'markup']],
  ])('of %j: %j', (text, hazards) => {
    expect(hazardsOf(text)).toEqual(hazards);
  });

  it.each([
    'Dear Carol,\nthank you for your order.',
    'to be continued...',
    'version 1..2',
    '2 < 3 and 5 > 4',
    '100 % of it',
    'naïve café, 東京, שלום',
    '',
  ])('nothing of %j', (text) => {
    expect(hazardsOf(text)).toEqual([]);
  });

  it('never fails, and takes a long text in its stride', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(hazardsOf(`${text}<a`)).toContain('markup');
      }),
    );
    expect(hazardsOf('%25'.repeat(100_000))).toEqual([]);
  });
});
