import { setTimeout as sleep } from 'node:timers/promises';
import { createQuota, quotaAnswerOf } from '@buddy/guardian';
import type { PlaybookWorld } from '../playbook-contract.ts';
import { serveHttp } from './http-server.ts';

/** A server whose model is used up until a moment, and says so; and a caller who asks the quota before each call. */
export async function openProvider(routes: string[], { saysWhen = true } = {}) {
  const usedUpUntil = new Map<string, number>();
  let calls = 0;
  const { url, close } = await serveHttp((request, response) => {
    calls += 1;
    const left = (usedUpUntil.get(request.url?.slice(1) ?? '') ?? 0) - Date.now();
    if (left <= 0) return void response.end('ok');
    const headers = saysWhen ? { 'retry-after': String(Math.ceil(left / 1_000)) } : {};
    response.writeHead(429, headers).end();
  });
  const callBy = async (route: string) => {
    const response = await fetch(url + route);
    await response.text();
    return { status: response.status, answer: quotaAnswerOf(response, Date.now()) };
  };
  const quota = createQuota(
    { routes, unsaidMs: 500 },
    { tryOut: async (route) => (await callBy(route)).answer },
  );
  const call = async () => {
    const route = quota.admit();
    const { status, answer } = await callBy(route);
    quota.note(route, answer);
    return { route, status };
  };
  return { quota, callBy, call, usedUpUntil, calls: () => calls, close };
}

export async function openQuotaWorld(): Promise<PlaybookWorld> {
  const provider = await openProvider(['model']);
  const { quota, usedUpUntil } = provider;
  return {
    resources: [{ id: 'llm', adapter: quota }],
    subject: 'llm',
    fault: {
      name: '429 with Retry-After',
      apply: async () => {
        const over = Math.max(quota.waitsUntil() ?? 0, quota.exhaustedUntil('model') ?? 0);
        await sleep(Math.max(0, over - Date.now() + 5)); // what was healed before is over
        usedUpUntil.set('model', Date.now() + 2_500);
      },
      isPresent: () => runsInto429(provider),
      revert: async () => usedUpUntil.clear(),
    },
    use: async () => void (await provider.call().catch(() => undefined)), // refused: it waits
    symptom: async () => ({
      signal: 'http.429',
      conditions: [{ name: 'quota_exhausted', until: Date.now() + 2_500 }],
    }),
    state: async () => ({
      route: quota.route(),
      isWaiting: quota.waitsUntil() !== undefined,
      isShedding: quota.isShedding(),
    }),
    close: provider.close,
  };
}

/** Whether somebody who asks now would be sent into a 429. */
async function runsInto429({
  quota,
  callBy,
}: Pick<Awaited<ReturnType<typeof openProvider>>, 'quota' | 'callBy'>): Promise<boolean> {
  try {
    return (await callBy(quota.admit())).status === 429;
  } catch {
    return false;
  }
}
