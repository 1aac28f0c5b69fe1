import { gradeOnKnownTruth } from './zz-known.ts';
const actionLogits = process.argv[2]!.split(",").map(Number);
  const sum = Array.from({ length: 10 }, () => 0); 
  for (let seed = 1; seed <= 12; seed++) {
    const g = gradeOnKnownTruth({ seed, waves: 9, tasksPerWave: 1000, actionLogits, shiftAtWave: 6, shift:1.2 });
    g.forEach((x, i) => (sum[i]! += x.closed / 12));
  }
  console.log(sum.map((x, i) => `w${i + 1}:${(100 * x).toFixed(1)}`).join(' '));
