import { fitForTerminal, textTable } from '@buddy/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('text for a terminal', () => {
  it('shows what would do something to it', () => {
    expect(fitForTerminal('a\u001B[2J\u202Eb\r\u2028')).toBe(
      'a\\u{1b}[2J\\u{202e}b\\u{d}\\u{2028}',
    );
  });

  it('keeps lines, tabs and letters of every kind', () => {
    expect(fitForTerminal('Grüße\n\t漢字')).toBe('Grüße\n\t漢字');
  });

  it('has no controls left, whatever it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(fitForTerminal(text)).not.toMatch(/(?![\n\t])[\p{Cc}\p{Cf}]/u);
      }),
    );
  });
});

describe('a table of text', () => {
  it('has columns as wide as what is in them', () => {
    const table = textTable(
      ['BOT', 'RUNS', 'NOTE'],
      [
        ['mailer', 2, undefined],
        ['x', 10, 'two\nlines'],
      ],
    );
    expect(table.split('\n')).toEqual([
      'BOT     RUNS  NOTE',
      'mailer  2     -',
      'x       10    two lines',
      '',
    ]);
  });

  it('shows in a cell what would do something to the terminal', () => {
    expect(textTable(['A'], [['\u0007'], ['']])).toBe('A\n\\u{7}\n-\n');
  });
});
