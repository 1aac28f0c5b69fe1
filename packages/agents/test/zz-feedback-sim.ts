import { seededRandom, normalQuantile } from '@buddy/core';
import { fitCalibrator, calibrate } from '../src/feedback/calibrator.ts';
const sg = (x: number) => 1 / (1 + Math.exp(-x));
const BASE = Number(process.argv[2] ?? 1.75), DROP = Number(process.argv[3] ?? 1.2), N = 1000;
const gap: number[][] = [];
const variants = [1, .3, .1, 0];
for (const keep of variants) {
  const acc = Array.from({ length: 10 }, () => [0, 0, 0, 0]);
  for (let seed = 0; seed < 20; seed++) {
    const r = seededRandom(seed); const g = () => normalQuantile(r());
    let hist: { p: number[]; y: number[]; w: number }[] = []; let cal = { a: 1, b: 0 };
    for (let w = 1; w <= 10; w++) {
      const p: number[] = [], y: number[] = []; let raw = 0, orc = 0, c = 0, num = 0, v = 0;
      for (let i = 0; i < N; i++) {
        const t = BASE + .9 * g(); const truth = sg(t - (w >= 6 ? DROP : 0)); const q = sg(1.6 * t + .3 + .5 * g());
        const k = w === 1 ? q : calibrate(q, cal); const yy = Number(r() < truth);
        p.push(q); y.push(yy); raw += (q - truth) ** 2; c += (k - truth) ** 2; orc += truth * (1 - truth);
        num += (yy - k) * (1 - 2 * k); v += (1 - 2 * k) ** 2 * k * (1 - k);
      }
      const z = num / Math.sqrt(v);
      const a = acc[w - 1]!; a[0]! += raw / N / 20; a[1]! += c / N / 20; a[2]! += orc / N / 20; a[3]! += Math.abs(z) / 20;
      hist = hist.map((h) => ({ ...h, w: h.w * .5 ** (1 / 1.5) * (Math.abs(z) > 3 ? keep : 1) })).filter((h) => h.w > .01);
      hist.push({ p, y, w: 1 });
      cal = fitCalibrator({ probabilities: hist.flatMap((h) => h.p), outcomes: hist.flatMap((h) => h.y), weights: hist.flatMap((h) => h.p.map(() => h.w)) });
    }
  }
  console.log('keep', keep, acc.map((a, i) => `w${i + 1}:${(100 * (1 - a[1]! / a[0]!)).toFixed(1)}% z${a[3]!.toFixed(1)}`).join('  '), 'raw', (acc[1]![0]! + acc[1]![2]!).toFixed(4), 'orc', acc[1]![2]!.toFixed(4), 'after raw', (acc[7]![0]! + acc[7]![2]!).toFixed(4), acc[7]![2]!.toFixed(4));
}
