/** Neighbours that were given one value. */
export interface Pools {
  count: number;
  /** Per pool, the index after its last value. */
  ends: Int32Array;
  /** Per pool, the sum of weight x value, and of weight. */
  sums: Float64Array;
  weights: Float64Array;
}

/** Room for the pools of so many values; one room serves one fit after another. */
export function roomForPools(values: number): Pools {
  return {
    count: 0,
    ends: new Int32Array(values),
    sums: new Float64Array(values),
    weights: new Float64Array(values),
  };
}

/**
 * The rising sequence that is nearest to the values by weighted least squares, by pooling adjacent violators (Ayer et al.
 * 1955; Barlow et al. 1972): in linear time, and the same for every proper score.
 * @param sums Per value, weight x value.
 * @param weights Per value, above 0.
 * @param pools Overwritten with the result; its means strictly rise.
 */
export function poolAdjacentViolators(
  sums: Float64Array,
  weights: Float64Array,
  pools: Pools,
): void {
  const { ends, sums: pooledSums, weights: pooledWeights } = pools;
  let last = -1;
  for (let index = 0; index < sums.length; index += 1) {
    let sum = sums[index] ?? 0;
    let weight = weights[index] ?? 0;
    while (last >= 0) {
      const sumBelow = pooledSums[last] ?? 0;
      const weightBelow = pooledWeights[last] ?? 0;
      if (sumBelow * weight < sum * weightBelow) break; // the means rise
      sum += sumBelow;
      weight += weightBelow;
      last -= 1;
    }
    last += 1;
    ends[last] = index + 1;
    pooledSums[last] = sum;
    pooledWeights[last] = weight;
  }
  pools.count = last + 1;
}

/**
 * The rising sequence that is nearest to the values by weighted least squares.
 * @param weights Above 0. Default: 1 each.
 * @example
 * isotonicRegression([1, 3, 2, 4]); // [1, 2.5, 2.5, 4]
 */
export function isotonicRegression(
  values: ArrayLike<number>,
  weights?: ArrayLike<number>,
): Float64Array {
  const weightOf = (index: number) => weights?.[index] ?? 1;
  const pools = roomForPools(values.length);
  poolAdjacentViolators(
    Float64Array.from(values, (value, index) => value * weightOf(index)),
    Float64Array.from(values, (_, index) => weightOf(index)),
    pools,
  );
  const fitted = new Float64Array(values.length);
  let start = 0;
  for (let pool = 0; pool < pools.count; pool += 1) {
    const end = pools.ends[pool] ?? 0;
    fitted.fill((pools.sums[pool] ?? 0) / (pools.weights[pool] ?? 1), start, end);
    start = end;
  }
  return fitted;
}
