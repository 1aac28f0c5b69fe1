import { z } from 'zod';
import { systemClock } from '@buddy/core';
import type { CertificatePair } from '../../adapters/tls/certificate-source.ts';
import { presentationProbe } from '../../probes/layers/presentation.ts';
import { defineFault } from '../define-fault.ts';
import { AVAILABLE } from '../host.ts';
import { LoopbackHost } from '../loopback.ts';
import { canIssueCertificates, type TestAuthority } from './test-authority.ts';

/** What a caller who verifies says of each. */
const SEEN_AS = {
  expiring: 'tls.expires_soon',
  expired: 'tls.cert_has_expired',
  notYet: 'tls.cert_not_yet_valid',
  wrongHost: 'tls.err_tls_cert_altname_invalid',
  selfSigned: 'tls.depth_zero_self_signed_cert',
} as const;

/**
 * A server shows a certificate that is expired, not valid yet, for another host, or signed by nobody. Its other connections stay.
 * @example
 * await using fault = await kit.inject(tls, {
 *   authority, good, flaw: 'expired', target: { host: '127.0.0.1', port }, serverName: 'localhost',
 *   install: (pair) => server.setSecureContext(pair),
 * });
 */
export const tls = defineFault({
  kind: 'tls',
  description: 'A server shows a certificate that cannot be verified, or not for long.',
  options: z.strictObject({
    target: z.strictObject({ host: LoopbackHost, port: z.int().min(1).max(65_535) }),
    serverName: z.string().min(1),
    /** Made by `createTestAuthority`; the server's callers trust it. */
    authority: z.custom<TestAuthority>(
      (value) => typeof value === 'object' && value !== null && 'issue' in value,
      'must be made by createTestAuthority',
    ),
    flaw: z.enum(['expiring', 'expired', 'notYet', 'wrongHost', 'selfSigned']),
    /** What the server shows before, and again when the fault is taken back. */
    good: z.strictObject({ cert: z.string(), key: z.string() }),
    /** Makes the server show this pair: its `setSecureContext`. */
    install: z.custom<(pair: CertificatePair) => void>(
      (value) => typeof value === 'function',
      'must be a function',
    ),
  }),
  note: z.strictObject({}), // without keys
  caps: { seconds: 600, bytes: 0 },
  capability: async () =>
    (await canIssueCertificates())
      ? AVAILABLE
      : {
          is: 'unavailable',
          reason: 'the optional packages @peculiar/x509 and reflect-metadata are not installed',
        },
  open: async ({ target, serverName, authority, flaw, good, install }) => {
    const bad = await authority.issue(serverName, flaw);
    const probe = presentationProbe({ target, serverName, ca: authority.ca, clock: systemClock });
    return {
      note: {},
      isPresent: async (signal) => {
        const reading = await probe.look(signal);
        return 'signal' in reading && reading.signal === SEEN_AS[flaw];
      },
      apply: async () => install(bad),
      revert: async () => install(good),
    };
  },
  recover: async () => undefined, // it lived in the process
});
