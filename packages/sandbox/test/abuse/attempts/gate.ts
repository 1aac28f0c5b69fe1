import { defensive, family } from '../attempt.ts';

const NO_GATE = defensive('a host that evaluates the code does not look at it first');
const many = (count: number, one: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => one(index)).join('');
const typeScript = (code: string): string => `\`\`\`ts\n${code}\n\`\`\``;

/** Texts that are made to keep the gate busy, which works in the host: no limit of a child ends it. */
export const gate = family(
  'source gate',
  false,
  [
    {
      name: 'every name that the gate could take for its own',
      code: `"${many(40_000, (i) => `$${i}`)}"`,
    },
    {
      name: 'a name as long as the text, and another that is not there',
      code: `let ${'b'.repeat(100_000)}; ${'a'.repeat(100_000)}`,
    },
    {
      name: 'thousands of names that are not there, and thousands that are',
      code: many(4_000, (i) => `let declared${i};`) + many(4_000, (i) => `undeclare${i};`),
    },
    { name: 'a quarter of a million parentheses', code: '('.repeat(250_000) },
    { name: 'a quarter of a million brackets', code: '['.repeat(250_000) },
    { name: 'a long chain of operators', code: `${'1+'.repeat(120_000)}1` },
    { name: 'a long chain of members', code: `Math${'.a'.repeat(100_000)}` },
    { name: 'a long chain of arrows', code: `${'a=>'.repeat(80_000)}1` },
    { name: 'a long chain of assignments', code: `${'a='.repeat(100_000)}1` },
    { name: 'a long chain of else', code: `${'if(1){}else '.repeat(20_000)}{}` },
    { name: 'fences without end', code: '```\n'.repeat(60_000) },
    { name: 'a fence of blanks', code: `\`\`\`${' '.repeat(240_000)}x` },
    { name: 'nothing but new lines', code: '\n'.repeat(250_000) },
    { name: 'a fault after many new lines', code: `${'\n'.repeat(250_000)}}` },
    { name: 'strings that SES would refuse', code: '"import(";'.repeat(20_000) },
    { name: 'comments that SES would refuse', code: '/*eval(*/'.repeat(20_000) },
    { name: 'operators that SES would refuse', code: `let i=9;${'i-->0;'.repeat(20_000)}` },
    {
      name: 'templates that SES would refuse, one inside the other',
      code: `${'String.raw`eval(${'.repeat(60)}1${'}`'.repeat(60)}`,
    },
    {
      name: 'regular expressions with very many groups',
      code: `/${'('.repeat(50_000)}${')'.repeat(50_000)}/`,
    },
    {
      name: 'imports of one name, thousands of times',
      code: "import {sqrt} from 'math';".repeat(8_000),
    },
    { name: 'TypeScript with very many parentheses', code: typeScript('('.repeat(250_000)) },
    {
      name: 'TypeScript with a very deep type',
      code: typeScript(`type X = ${'{a:'.repeat(80_000)}`),
    },
    {
      name: 'TypeScript with very many arguments of types',
      code: typeScript(`let x: ${'A<'.repeat(120_000)}`),
    },
    {
      name: 'TypeScript with very many assertions',
      code: typeScript(`1${' as a'.repeat(50_000)}`),
    },
    { name: 'TypeScript with half of a character', code: typeScript('let x: string = "\ud800";') },
    {
      name: 'TypeScript that the stripper reads in two ways, again and again',
      code: typeScript('<a>('.repeat(28)),
    },
    {
      name: 'TypeScript that is read in two ways inside a type',
      code: typeScript(`let x = ${'a<b>('.repeat(28)}`),
    },
  ].map((row) => ({ ...row, expects: NO_GATE })),
);
