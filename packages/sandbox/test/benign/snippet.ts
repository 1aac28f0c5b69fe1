/** A program as a model would write it, and what has to become of it. */
export interface Snippet {
  readonly name: string;
  readonly code: string;
  readonly input?: unknown;
  readonly language?: 'javascript' | 'typescript';
  readonly expected: Expected;
}

/** A value, or an error by the fields that matter. */
export type Expected =
  | { readonly value: unknown }
  | {
      readonly error: {
        readonly name: string;
        /** Null where there is no place to point at. */
        readonly line: number | null;
        readonly column?: number;
        readonly message?: string;
        /** A part of the hint. */
        readonly hint?: string;
      };
    };

export function gives(
  name: string,
  code: string,
  value: unknown,
  more: Pick<Snippet, 'input' | 'language'> = {},
): Snippet {
  return { name, code, expected: { value }, ...more };
}

export function fails(
  name: string,
  code: string,
  error: Extract<Expected, { error: unknown }>['error'],
): Snippet {
  return { name, code, expected: { error } };
}
