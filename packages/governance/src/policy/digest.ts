import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/**
 * SHA-256, in hex, of the canonical JSON (RFC 8785) of a policy's data as it is written, tests and all: whoever has the file
 * can compute it with other tools, by way of any reader of YAML.
 */
export function policyDigest(data: unknown): string {
  return createHash('sha256')
    .update(canonicalize(data) ?? 'null')
    .digest('hex');
}
