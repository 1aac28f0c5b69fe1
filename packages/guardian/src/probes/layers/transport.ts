import { controlFor, openSocket, readingOfConnectError, type Target } from './connect.ts';
import type { LayerProbe, NegativeControl } from './layer.ts';

/** Layer 4: does the port accept? That it accepts does not say that anybody answers: a stopped process accepts too. */
export function transportProbe(target: Target, control?: NegativeControl): LayerProbe {
  const guard = control ?? controlFor(target.host);
  return {
    layer: 4,
    name: `port ${target.host}:${target.port}`,
    ...(guard && { control: guard }),
    look: async (signal) => {
      try {
        (await openSocket(target, signal)).destroy();
        return { status: 'HEALTHY' };
      } catch (error) {
        return readingOfConnectError(error, target);
      }
    },
  };
}
