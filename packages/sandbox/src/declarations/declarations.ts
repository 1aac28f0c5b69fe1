import type { Tool } from '@buddy/core';
import { oneLine, schemaToType } from './schema-to-type.ts';

const HEAD = `// Your program runs alone in a sandbox. Await what you need; the value of the last expression, or of a top-level
// \`return\`, is the result: plain data (also Map, Set, Date, bigint). There is no network, no process, no file system and
// no module but those below; time moves only while you await. Besides the language itself there are, as everywhere:
// console, URL, URLSearchParams, TextEncoder, TextDecoder, AbortController, AbortSignal, Intl, structuredClone, atob, btoa,
// setTimeout, setInterval, setImmediate and their clear…, queueMicrotask, performance.now, crypto.randomUUID and
// crypto.getRandomValues (seeded: not for secrets). No code can be made of text: no eval, no Function().
`;

const GLOBALS = `/** What the caller handed in. */
declare const input: any;
/** Files in memory, gone when the program ends. */
declare const scratch: {
  write(name: string, text: string): void;
  append(name: string, text: string): void;
  read(name: string): string;
  exists(name: string): boolean;
  remove(name: string): boolean;
  list(folder?: string): string[];
};`;

/** All that code finds in a sandbox, as TypeScript declarations for a prompt. */
export function declarationsOf(tools: readonly Tool[], modules: readonly string[]): string {
  const parts = [HEAD, GLOBALS];
  if (tools.length > 0) parts.push(`declare const tools: ${branchOf(growTree(tools), '')};`);
  return [...parts, ...modules].join('\n');
}

interface Branch {
  tool: Tool | undefined;
  branches: Map<string, Branch>;
}

function growTree(tools: readonly Tool[]): Branch {
  const root: Branch = { tool: undefined, branches: new Map() };
  for (const tool of tools) {
    let at = root;
    for (const part of tool.name.split('.')) {
      const next = at.branches.get(part) ?? { tool: undefined, branches: new Map() };
      at.branches.set(part, next);
      at = next;
    }
    at.tool = tool;
  }
  return root;
}

function branchOf({ branches }: Branch, indent: string): string {
  const inner = `${indent}  `;
  const members = [...branches].map(([name, branch]) => {
    const key = name.includes('-') ? JSON.stringify(name) : name;
    const { tool } = branch;
    const below = branch.branches.size > 0 ? branchOf(branch, inner) : undefined;
    if (!tool) return `${inner}${key}: ${below ?? '{}'};`;
    const call = `(input: ${schemaToType(tool.input, 'input', inner)}) => Promise<${schemaToType(tool.output, 'output', inner)}>`;
    return `${inner}/** ${oneLine(tool.description)} */\n${inner}${key}: ${below ? `(${call}) & ${below}` : call};`;
  });
  return `{\n${members.join('\n')}\n${indent}}`;
}
