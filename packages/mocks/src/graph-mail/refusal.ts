/** What the provider will not do: an answer, thrown from wherever it is noticed to where answers are written. */
export class GraphRefusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

export function badRequest(message: string, code = 'BadRequest'): GraphRefusal {
  return new GraphRefusal(400, code, message);
}

export function itemNotFound(): GraphRefusal {
  return new GraphRefusal(
    404,
    'ErrorItemNotFound',
    'The specified object was not found in the store.',
  );
}
