import type { StoredBot } from './contents.ts';
import { DependencyError } from './errors.ts';

type Bots = ReadonlyMap<string, StoredBot>;

/**
 * @param stored What is about to be put among the others.
 * @throws {DependencyError} When the bot depends on one that is not there, or on itself, also around a corner.
 */
export function checkDependencies(bots: Bots, { bot }: StoredBot): void {
  const { id } = bot;
  const { dependsOn } = bot.deployment;
  const missing = dependsOn.filter((other) => other !== id && !bots.has(other));
  if (missing.length > 0) {
    throw new DependencyError(
      id,
      `Bot "${id}" depends on ${missing.join(', ')}: there is no such bot. Create it first.`,
    );
  }
  const way = wayBack(bots, id, dependsOn);
  if (way) {
    throw new DependencyError(
      id,
      `Bot "${id}" would wait for itself: ${way.join(' -> ')}. Take one of these dependencies out.`,
    );
  }
}

export function dependentsOf(bots: Bots, id: string): string[] {
  return [...bots.values()]
    .filter(({ bot }) => bot.deployment.dependsOn.includes(id))
    .map(({ bot }) => bot.id);
}

/** From the bot along its dependencies to itself. */
function wayBack(bots: Bots, id: string, dependsOn: readonly string[]): string[] | undefined {
  const seen = new Set<string>();
  const ways = dependsOn.map((other) => [id, other]);
  for (let way = ways.pop(); way; way = ways.pop()) {
    const last = way.at(-1) ?? id;
    if (last === id) return way;
    if (seen.has(last)) continue;
    seen.add(last);
    const further = bots.get(last)?.bot.deployment.dependsOn ?? [];
    for (const next of further) ways.push([...way, next]);
  }
  return undefined;
}
