import type { AnyNode, Node } from 'acorn';

/**
 * Visits every node below `root`, parents first, in no promised order among siblings. Uses no recursion: a chain of ten
 * thousand calls is a tree ten thousand deep.
 */
export function walk(root: AnyNode, visit: (node: AnyNode) => void): void {
  const pending = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    visit(node);
    pending.push(...childrenOf(node));
  }
}

export function childrenOf(node: AnyNode): AnyNode[] {
  const children: AnyNode[] = [];
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) children.push(item);
    } else if (isNode(value)) {
      children.push(value);
    }
  }
  return children;
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

/** The names that a pattern binds, and the expressions inside it (defaults and computed keys). */
export function readPattern(pattern: AnyNode): { names: Named[]; expressions: AnyNode[] } {
  const names: Named[] = [];
  const expressions: AnyNode[] = [];
  const pending: (AnyNode | null | undefined)[] = [pattern];
  while (pending.length > 0) {
    const node = pending.pop();
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the default takes expressions
    switch (node?.type) {
      case 'Identifier':
        names.push(node);
        break;
      case 'ObjectPattern':
        pending.push(...node.properties.toReversed());
        break;
      case 'ArrayPattern':
        pending.push(...node.elements.toReversed());
        break;
      case 'Property':
        if (node.computed) expressions.push(node.key);
        pending.push(node.value);
        break;
      case 'AssignmentPattern':
        expressions.push(node.right);
        pending.push(node.left);
        break;
      case 'RestElement':
        pending.push(node.argument);
        break;
      default:
        if (node) expressions.push(node);
    }
  }
  return { names, expressions };
}

export interface Named extends Node {
  readonly name: string;
}
