import { gradeOnKnownTruth } from './feedback-known-truth.ts';
const worlds: [string, number[]][] = [['one action 1.75', [1.75]], ['one action 1', [1]], ['seven actions', [2.9, 2.5, 2.2, 1.75, 1.4, 1, .5]]];
for (const shift of [1.2, 0]) for (const [name, actionLogits] of worlds) {
  const sum = Array.from({ length: 10 }, () => 0); let min3 = 1, min7 = 1; const t = performance.now();
  for (let seed = 1; seed <= 20; seed++) {
    const g = gradeOnKnownTruth({ seed, waves: 10, tasksPerWave: 1000, actionLogits, shiftAtWave: 6, shift });
    g.forEach((x, i) => (sum[i]! += x.closed / 20)); min3 = Math.min(min3, g[2]!.closed); min7 = Math.min(min7, g[6]!.closed);
    if (seed === 1) console.log(g.map((x) => [x.raw.toFixed(4), x.oracle.toFixed(4), x.overall?.recommendation].join(' ')).join(' | '), JSON.stringify(g[9]!.overall?.calibrator));
  }
  console.log(name, 'shift', shift, sum.map((x, i) => `w${i + 1}:${(100 * x).toFixed(1)}`).join(' '), 'min w3', min3.toFixed(3), 'min w7', min7.toFixed(3), ((performance.now() - t) / 20).toFixed(0), 'ms a run');
}
