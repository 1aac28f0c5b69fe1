import { probeOf } from '../playbook/check.ts';
import { definePlaybook } from '../playbook/define-playbook.ts';
import { on } from '../playbook/trigger.ts';

/** A certificate is not valid, or not for long: what is good is taken into use. Verification is never switched off. */
export const certificateExpired = definePlaybook({
  id: 'certificate_expired',
  name: 'Certificate expired',
  description:
    'Takes a renewed certificate into use while the server serves; a client goes to another server whose certificate is good.',
  category: 'identity',
  tier: 2,
  priority: 7,
  needs: { tls: 'tls' },
  triggers: [
    on([
      'tls.expires_soon',
      'tls.not_current',
      'tls.cert_has_expired',
      'tls.cert_not_yet_valid',
      'tls.cert_revoked',
      'tls.cert_untrusted',
      'tls.err_tls_cert_altname_invalid',
      'tls.hostname_mismatch',
      'tls.depth_zero_self_signed_cert',
      'tls.self_signed_cert_in_chain',
      'tls.unable_to_get_issuer_cert',
      'tls.unable_to_get_issuer_cert_locally',
      'tls.unable_to_verify_leaf_signature',
      'tls.invalid_ca',
    ]),
  ],
  contraindicatedBy: [],
  diagnose: async ({ resources: { tls } }) => ({ context: tls.currentContext() }),
  steps: (step) => [
    step({
      id: 'renew',
      description: 'Takes into use what is good, and refuses what is not.',
      tier: 2,
      timeoutMs: 8_000,
      effects: ['tls.renewContext'],
      before: async ({ resources }) => ({ context: resources.tls.currentContext() }),
      run: ({ resources, signal }) => resources.tls.renewContext(signal),
      undo: {
        description: 'Takes into use again what was used before.',
        effects: ['tls.useContext'],
        run: async ({ resources: { tls }, before, signal }) => {
          // Another process than the one that swapped it may not know it; then it was not swapped here.
          if (tls.contexts().includes(before.context)) await tls.useContext(before.context, signal);
        },
      },
    }),
  ],
  verify: {
    checks: [
      // A real handshake, everything verified, good for more than a week.
      probeOf('tls'),
      {
        name: 'the certificate in use is the one that is shown',
        run: ({ resources, signal }) => resources.tls.servesCurrent(signal),
      },
    ],
    withinMs: 5_000,
    stableForMs: 2_000,
  },
  mttrTargetMs: 15_000,
});
