import { z } from 'zod';

const MAX_BYTES = 16_384;

const Fields = z.strictObject({
  token: z.string().min(1).max(500),
  vote: z.enum(['approve', 'deny']),
  comment: z
    .string()
    .transform((text) => text.replaceAll('\r\n', '\n').trim())
    .pipe(z.string().max(500))
    .default(''),
});

export type ReadForm =
  | ({ ok: true } & z.output<typeof Fields>)
  | { ok: false; status: 400 | 413 | 415; problem: string };

/** Reads a vote as a browser sends it: each field once, no others, and no more than a vote needs. */
export async function readForm(request: Request): Promise<ReadForm> {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') {
    return { ok: false, status: 415, problem: 'This is not what the form sends' };
  }
  const body = await readUpTo(request, MAX_BYTES);
  if (body === undefined) return { ok: false, status: 413, problem: 'This is too long' };
  const pairs = [...new URLSearchParams(body)];
  const fields = Object.fromEntries(pairs);
  const parsed = Fields.safeParse(fields);
  if (!parsed.success || Object.keys(fields).length !== pairs.length) {
    return { ok: false, status: 400, problem: 'The form was not filled in as it should be' };
  }
  return { ok: true, ...parsed.data };
}

async function readUpTo({ body }: Request, maxBytes: number): Promise<string | undefined> {
  if (!body) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}
