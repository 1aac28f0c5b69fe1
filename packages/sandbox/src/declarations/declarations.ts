import type { Tool } from '@buddy/core';
export function declarationsOf(_tools: readonly Tool[], modules: readonly string[]): string {
  return modules.join('\n');
}
