import { setTimeout as sleep } from 'node:timers/promises';

/* What a bot runs: started with `steady`, `fragile` or `leaky`. */

const [, , temper = 'steady'] = process.argv;
const kept: Buffer[] = [];

console.log('ready');
for (let job = 1; ; job += 1) {
  await sleep(100);
  if (temper === 'fragile' && job === 3) throw new Error('cannot read the mailbox');
  if (temper === 'leaky') kept.push(Buffer.alloc(10_000_000, job)); // 100 MB a second
  if (job % 10 === 0) console.log(`${job} jobs done`);
}
