import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFileAtomic } from '@buddy/core';
import { z } from 'zod';
import { CallCounts, RecorderConfig } from './call-counts.ts';

/*
 * The worker of a healed run, in a process of its own: counts what the providers are asked, again and again, and adds up what they
 * tell, for a provider that is started again begins at 0. Goes on from its file when it is started again itself.
 */

const Overview = z.record(z.string(), z.object({ calls: z.int() }));

const [, , configFile = ''] = process.argv;
const config = RecorderConfig.parse(JSON.parse(await readFile(configFile, 'utf8')));
const counts = await readCounts();
let lookedAt = performance.now();

const STALE_AFTER_MS = 3_000;
createServer((_request, response) => {
  const isStale = performance.now() - lookedAt > STALE_AFTER_MS;
  response.writeHead(isStale ? 503 : 200).end(`${JSON.stringify(counts)}\n`);
}).listen(config.port, '127.0.0.1');

for (;;) {
  for (const { name, url, token } of config.providers) {
    const now = await callsOf(url, token);
    if (now !== undefined) count(name, now);
  }
  await writeFileAtomic(config.file, `${JSON.stringify(counts)}\n`);
  lookedAt = performance.now();
  await sleep(config.everyMs);
}

function count(name: string, now: number): void {
  const known = (counts[name] ??= { calls: 0, lives: 1, ofThisLife: 0 });
  if (now < known.ofThisLife) {
    known.lives += 1;
    known.ofThisLife = 0;
  }
  known.calls += now - known.ofThisLife;
  known.ofThisLife = now;
}

/** Undefined while the provider does not answer. */
async function callsOf(url: string, token: string): Promise<number | undefined> {
  try {
    const headers = { authorization: `Bearer ${token}` };
    const signal = AbortSignal.timeout(config.everyMs);
    const answer = await fetch(`${url}/__buddy`, { headers, signal });
    const [mock] = Object.values(Overview.parse(await answer.json()));
    return mock?.calls;
  } catch {
    return undefined; // it is asked again soon
  }
}

async function readCounts(): Promise<CallCounts> {
  const text = await readFile(config.file, 'utf8').catch(() => '{}');
  return CallCounts.parse(JSON.parse(text));
}
