// Python's random over Math.random, which a run may have seeded. Its sequences are not those of Python.
const check = (condition, message) => {
  if (!condition) throw new RangeError(message);
};

export class Random {
  #next;

  constructor(seed) {
    this.#next = seed === undefined ? () => Math.random() : generatorFrom(seed);
  }
  random() {
    return this.#next();
  }
  uniform(a, b) {
    return a + (b - a) * this.#next();
  }
  randrange(start, stop, step = 1) {
    const [from, to] = stop === undefined ? [0, start] : [start, stop];
    const count = Math.ceil((to - from) / step);
    check(count > 0, 'empty range for randrange()');
    return from + step * Math.floor(this.#next() * count);
  }
  randint(a, b) {
    return this.randrange(a, b + 1);
  }
  choice(items) {
    check(items.length > 0, 'Cannot choose from an empty sequence');
    return items[this.randrange(items.length)];
  }
  choices(items, { weights, k = 1 } = {}) {
    const sums = [];
    for (const weight of weights ?? items.map(() => 1)) sums.push((sums.at(-1) ?? 0) + weight);
    check(sums.length === items.length, 'The number of weights does not match the population');
    const total = sums.at(-1) ?? 0;
    check(total > 0, 'Total of weights must be greater than zero');
    return Array.from({ length: k }, () => {
      const drawn = this.#next() * total;
      return items[sums.findIndex((sum) => drawn < sum)];
    });
  }
  sample(items, k) {
    check(k >= 0 && k <= items.length, 'Sample larger than population or is negative');
    return this.#shuffled([...items]).slice(0, k);
  }
  shuffle(items) {
    this.#shuffled(items);
  }
  gauss(mu = 0, sigma = 1) {
    // Box and Muller; 1 - u keeps the logarithm away from 0.
    const radius = Math.sqrt(-2 * Math.log(1 - this.#next()));
    return mu + sigma * radius * Math.cos(2 * Math.PI * this.#next());
  }
  expovariate(lambda = 1) {
    return -Math.log(1 - this.#next()) / lambda;
  }
  #shuffled(items) {
    for (let i = items.length - 1; i > 0; i -= 1) {
      const j = Math.floor(this.#next() * (i + 1));
      [items[i], items[j]] = [items[j], items[i]];
    }
    return items;
  }
}

// A Weyl sequence through an integer mixer (the "lowbias32" constants): small, and good enough to draw samples.
function generatorFrom(seed) {
  let state = 0x811c9dc5;
  for (const character of String(seed))
    state = Math.imul(state ^ character.codePointAt(0), 0x01000193);
  const mixed = () => {
    state = (state + 0x9e3779b9) | 0;
    let x = state ^ (state >>> 16);
    x = Math.imul(x, 0x7feb352d);
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
    return (x ^ (x >>> 16)) >>> 0;
  };
  return () => ((mixed() >>> 5) * 0x4000000 + (mixed() >>> 6)) / 0x20000000000000;
}

const shared = new Random();
export const random = () => shared.random();
export const uniform = (a, b) => shared.uniform(a, b);
export const randrange = (start, stop, step) => shared.randrange(start, stop, step);
export const randint = (a, b) => shared.randint(a, b);
export const choice = (items) => shared.choice(items);
export const choices = (items, options) => shared.choices(items, options);
export const sample = (items, k) => shared.sample(items, k);
export const shuffle = (items) => shared.shuffle(items);
export const gauss = (mu, sigma) => shared.gauss(mu, sigma);
export const expovariate = (lambda) => shared.expovariate(lambda);
