import { type Clock, parseOrThrow, textTable } from '@buddy/core';
import { z } from 'zod';
import { applicationProbe } from '../probes/layers/application.ts';
import { dataLinkProbe } from '../probes/layers/data-link.ts';
import { createLayerProbes, type LayerSummary } from '../probes/layers/layer-probes.ts';
import { type LayerProbe, LAYERS, unknown } from '../probes/layers/layer.ts';
import { networkProbe } from '../probes/layers/network.ts';
import { presentationProbe } from '../probes/layers/presentation.ts';
import { lineSession, sessionProbe } from '../probes/layers/session.ts';
import { transportProbe } from '../probes/layers/transport.ts';
import { type Answer, type Host, percentOf } from './answer.ts';
import { needConfig } from './config-module.ts';

const Options = z.object({
  config: z.string().exactOptional(),
  timeout: z.coerce.number().positive().default(2_000),
  session: z.string().exactOptional(),
  controlPath: z.string().startsWith('/').exactOptional(),
});
type Options = z.output<typeof Options>;

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

const TargetUrl = z
  .string()
  .transform((text) => (text.includes('://') ? text : `tcp://${text}`))
  .pipe(z.url({ protocol: /^(?:https?|tcp|tls)$/ }))
  .transform((text, context) => {
    const url = new URL(text);
    const port = url.port === '' ? DEFAULT_PORTS[url.protocol] : Number(url.port);
    if (port !== undefined) return { url, host: url.hostname.replaceAll(/[[\]]/g, ''), port };
    context.addIssue('must say a port, as in 127.0.0.1:8080');
    return z.NEVER;
  });

export async function probe(
  target: string | undefined,
  input: Readonly<Record<string, unknown>>,
  { clock, folder }: Host,
): Promise<Answer> {
  const options = parseOrThrow(Options, input, 'options of probe');
  const config = target === undefined ? await needConfig(options.config, folder) : undefined;
  const { layers = [], close } = config ?? {};
  try {
    const probes = target === undefined ? layers : probesOf(target, options, clock);
    const parts = createLayerProbes({ timeoutMs: options.timeout }, probes, { clock });
    const summary = await parts.probeAll();
    return {
      text: textOf(summary, probes),
      json: summary,
      exitCode: summary.status === 'HEALTHY' ? 0 : 1,
    };
  } finally {
    await close?.();
  }
}

function probesOf(text: string, { session, controlPath }: Options, clock: Clock): LayerProbe[] {
  const { url, host, port } = parseOrThrow(TargetUrl, text, 'TARGET');
  const target = { host, port };
  const isTls = url.protocol === 'https:' || url.protocol === 'tls:';
  const isHttp = url.protocol.startsWith('http');
  return [
    dataLinkProbe(),
    networkProbe({ host }),
    transportProbe(target),
    sessionProbe(session === undefined ? undefined : lineSession({ target, ping: session })),
    isTls
      ? presentationProbe({ target, clock })
      : notAsked(6, 'the target speaks no TLS; https:// or tls:// looks at it'),
    isHttp
      ? applicationProbe({
          url: url.href,
          now: () => clock.now(),
          ...(controlPath !== undefined && { controlPath }),
        })
      : notAsked(7, 'no request is known; http:// or https:// makes one'),
  ];
}

function notAsked(layer: 6 | 7, why: string): LayerProbe {
  return { layer, name: 'none', look: async () => unknown('disabled', why) };
}

function textOf({ status, coverage, layers }: LayerSummary, probes: readonly LayerProbe[]): string {
  const rows = LAYERS.flatMap((layer) => {
    const sample = layers[layer];
    if (!sample) return [];
    const name = probes.find((each) => each.layer === layer)?.name;
    const why = sample.status === 'UNKNOWN' ? `${sample.reason}: ${sample.note}` : sample.note;
    return [[layer, name, sample.status, `${sample.latencyMs.toFixed(1)} ms`, why]];
  });
  const table = textTable(['LAYER', 'PROBE', 'STATUS', 'TOOK', 'NOTE'], rows);
  return `${table}${status}; ${percentOf(coverage)} of the layers are known.\n`;
}
