/** What an OAuth token request carries as proof of who asks (RFC 6749, 7521 and 7636). */
const PROOFS = new Set([
  'assertion',
  'client_assertion',
  'client_secret',
  'code',
  'code_verifier',
  'password',
  'refresh_token',
]);

/** What such a field holds, by its name in whatever case; undefined when it may be shown. */
function proofOf(name: string): string | undefined {
  const known = name.toLowerCase();
  return PROOFS.has(known) ? `[redacted:${known.replaceAll('_', '-')}]` : undefined;
}

/**
 * A form or a query, in which what proves who asks is replaced; all else stays as it was written. A redactor cannot do it:
 * `code` names a secret only here, elsewhere it says what went wrong.
 */
export function withoutProofs(form: string): string {
  return form
    .split('&')
    .map((pair) => {
      const [[name = ''] = []] = new URLSearchParams(pair);
      const marker = proofOf(name);
      return marker === undefined ? pair : `${pair.split('=', 1)[0]}=${marker}`;
    })
    .join('&');
}

/** The same of a token request in JSON. */
export function withoutProofFields(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || !('grant_type' in body)) return body;
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [name, proofOf(name) ?? value]),
  );
}
