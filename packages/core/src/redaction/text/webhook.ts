import { endsUrl } from './characters.ts';
import type { Span } from './span.ts';

/** Addresses whose path is the only thing that keeps others from writing there, by their first word. */
const PLACES: ReadonlyMap<string, readonly string[]> = new Map([
  ['hooks', ['hooks.slack.com/services/', 'hooks.slack.com/workflows/', 'hooks.zapier.com/hooks/']],
  ['discord', ['discord.com/api/webhooks/']],
  ['discordapp', ['discordapp.com/api/webhooks/']],
  ['webhook', ['webhook.office.com/webhookb2/']],
  ['chat', ['chat.googleapis.com/v1/spaces/']],
]);
const LONGEST_FIRST_WORD = 10;

/** The secret part of a webhook's address that begins with the word from `start` to `end`. */
export function findWebhook(text: string, start: number, end: number): Span | undefined {
  const length = end - start;
  if (length < 4 || length > LONGEST_FIRST_WORD || text[end] !== '.') return undefined;
  const places = PLACES.get(text.slice(start, end));
  const place = places?.find((one) => text.startsWith(one, start));
  if (place === undefined) return undefined;
  const from = start + place.length;
  let at = from;
  while (at < text.length && !endsUrl(text, at)) at += 1;
  return at > from ? { label: 'webhook', start: from, end: at } : undefined;
}
