/** Below this weight, what a wave taught is let go. */
const LEAST_WEIGHT = 0.01;

/** What each of the latest waves brought, and how much it still counts: 1 for the latest, less for each one before. */
export class RecentWaves<Values> {
  #waves: { values: Values; weight: number }[] = [];

  /** Takes the values of a new wave; those of earlier waves count `factor` times as much as before. */
  add(values: Values, factor: number): void {
    const older = this.#waves.map((wave) => ({ ...wave, weight: wave.weight * factor }));
    this.#waves = [...older.filter(({ weight }) => weight >= LEAST_WEIGHT), { values, weight: 1 }];
  }

  /** From the earliest to the latest. */
  get waves(): readonly { values: Values; weight: number }[] {
    return this.#waves;
  }
}
