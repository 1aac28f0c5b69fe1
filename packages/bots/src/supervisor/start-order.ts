import { DependencyCycleError, UnknownDependencyError } from './errors.ts';

export interface Dependent {
  readonly id: string;
  readonly deployment: { readonly dependsOn: readonly string[] };
}

/**
 * A bot and all that it depends on, each after what it depends on itself.
 * @throws {DependencyCycleError} {UnknownDependencyError} With the way that leads there.
 */
export function startOrder(id: string, bots: ReadonlyMap<string, Dependent>): readonly string[] {
  const order = new Set<string>();
  const visit = (at: string, path: readonly string[]): void => {
    if (order.has(at)) return;
    const way = [...path, at];
    if (path.includes(at)) throw new DependencyCycleError(way.slice(path.indexOf(at)));
    const bot = bots.get(at);
    if (!bot) throw new UnknownDependencyError(way);
    for (const dependency of bot.deployment.dependsOn) visit(dependency, way);
    order.add(at);
  };
  visit(id, []);
  return [...order];
}

/** A bot and all that depend on it, each before what it depends on itself. Cycles are walked once. */
export function stopOrder(id: string, bots: ReadonlyMap<string, Dependent>): readonly string[] {
  const order: string[] = [];
  const seen = new Set<string>();
  const visit = (at: string): void => {
    if (seen.has(at)) return;
    seen.add(at);
    for (const bot of bots.values()) if (bot.deployment.dependsOn.includes(at)) visit(bot.id);
    order.push(at);
  };
  visit(id);
  return order;
}
