import type { Reading, UnknownReason } from '../../resource/reading.ts';

/** Layers of the OSI model that can be looked at without privileges. */
export const LAYERS = [2, 3, 4, 5, 6, 7] as const;
export type Layer = (typeof LAYERS)[number];

/** Something that has to fail. If it works, whatever lies between answers for others, and a success proves nothing. */
export interface NegativeControl {
  readonly name: string;
  /** Whether it failed, as it must. */
  hasFailed(signal: AbortSignal): Promise<boolean>;
}

/** A look at one layer. */
export interface LayerProbe {
  readonly layer: Layer;
  readonly name: string;
  look(signal: AbortSignal): Promise<Reading>;
  readonly control?: NegativeControl;
  /** What silence means. Default: FAILED, and ambiguous. */
  readonly silence?: Reading;
}

export function unknown(reason: UnknownReason, note: string): Reading {
  return { status: 'UNKNOWN', reason, note };
}

export function failed(signal: string, certainty: 'decisive' | 'ambiguous', note: string): Reading {
  return { status: 'FAILED', signal, certainty, note };
}

/** The code of a system error; undefined for any other. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
