import { type Clock, ManualClock } from '@buddy/core';
import type { z } from 'zod';
import { MockOptions } from '../../src/exchange/options.ts';
import { createWireExchange, type WireExchange } from '../../src/wire/exchange.ts';
import { NotesProvider } from './notes-provider.ts';

export type NotesMock = WireExchange & { readonly calls: NotesProvider['calls'] };

/** The exchange around the made-up provider; answers come at once unless told otherwise. */
export function createNotesMock(
  options: z.input<typeof MockOptions> = {},
  clock: Clock = new ManualClock(),
): NotesMock {
  const provider = new NotesProvider();
  const parsed = MockOptions.parse({ latency: 'none', ...options });
  return { ...createWireExchange(provider, parsed, clock), calls: provider.calls };
}
