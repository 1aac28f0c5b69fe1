import { BuddyError } from '@buddy/core';

/** Waves are closed one after another, each once. */
export class WaveOrderError extends BuddyError {
  readonly code = 'AGENTS_WAVE_ORDER';
  readonly wave: number;
  readonly lastClosedWave: number;

  constructor(wave: number, lastClosedWave: number) {
    super(
      `Wave ${wave} cannot be closed after wave ${lastClosedWave}; close each wave once, in ascending order`,
    );
    this.wave = wave;
    this.lastClosedWave = lastClosedWave;
  }
}
