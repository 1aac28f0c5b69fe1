import { appendFileSync, closeSync, existsSync, openSync } from 'node:fs';
import { createServer } from 'node:http';
import { devNull } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { reportVitals } from '@buddy/guardian/vitals';

// A service that tells of itself, and has the troubles that its environment gives it.
const { PORT = '0', SLOW_FILE = '', STARTS_FILE = '', SAFE_MODE, CRASH_AFTER_MS } = process.env;
appendFileSync(STARTS_FILE, '.'); // counted from outside

const idle: number[] = [];
let cache: number[][] = [];
reportVitals({
  shed: () => {
    for (const descriptor of idle.splice(0)) closeSync(descriptor);
    cache = [];
  },
});

if (CRASH_AFTER_MS !== undefined) {
  setTimeout(() => {
    throw new Error(`this release is broken, at ${performance.now()}`);
  }, Number(CRASH_AFTER_MS));
}
if (SAFE_MODE === undefined && existsSync(SLOW_FILE)) await sleep(60_000);

createServer(({ url = '' }, response) => {
  const [, what, count = '0'] = url.split('/');
  if (what === 'open')
    for (let left = Number(count); left > 0; left -= 1) idle.push(openSync(devNull, 'r'));
  if (what === 'cache')
    cache.push(Array.from({ length: Number(count) }, (_, index) => index + 0.5));
  response.end('ok\n');
}).listen(Number(PORT), '127.0.0.1');
