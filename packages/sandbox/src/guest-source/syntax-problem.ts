import type { GuestSourceError } from './guest-source.ts';

/** What a parser says of a place, with what to do about the mistakes that its words do not explain. */
export function syntaxProblem(
  message: string,
  code: string,
  offset: number,
): Pick<GuestSourceError, 'kind' | 'message' | 'hint'> {
  if (code.charAt(offset) === '@') {
    return {
      kind: 'unsupported',
      message: 'Decorators are not supported',
      hint: 'Write it without the decorator: `const A = decorate(class A {…})`.',
    };
  }
  if (message.includes("'await' outside an async function"))
    return { kind: 'syntax', message, hint: 'Mark the function around it `async`.' };
  if (/<\/?[A-Za-z>]/.test(code.slice(Math.max(0, offset - 2), offset + 2)))
    return { kind: 'syntax', message, hint: 'There is no JSX here; build text with templates.' };
  return { kind: 'syntax', message };
}
