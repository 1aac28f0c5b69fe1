import type { GuestError, RunEnding, RunFacts } from './result.ts';

const MAX_VALUE_CHARS = 8_000;
const MAX_LOG_LINES = 40;

/** What the author of the code needs to know to go on: the value or what went wrong, and the log. */
export function modelText(ending: RunEnding, { logs }: Pick<RunFacts, 'logs'>): string {
  const shown = logs
    .slice(-MAX_LOG_LINES)
    .map(({ level, text }) => (level === 'log' ? text : `${level}: ${text}`));
  const left = logs.length - shown.length;
  const log =
    shown.length === 0
      ? []
      : [
          '',
          left > 0 ? `Log (the last ${shown.length} of ${logs.length} lines):` : 'Log:',
          ...shown,
        ];
  return [...bodyOf(ending), ...log].join('\n');
}

function bodyOf(ending: RunEnding): string[] {
  switch (ending.status) {
    case 'ok':
      return [`Result: ${valueText(ending.value)}`];
    case 'error':
      return ['The program failed.', ...errorText(ending.error)];
    case 'violation':
      return [`The program was stopped: ${ending.violation.type}.`, ...errorText(ending.error)];
    case 'limit':
      return [
        `The program was stopped: it reached its ${ending.limit.kind} limit.`,
        ...errorText(ending.error),
      ];
    case 'paused':
      return [
        'The program is paused until a person agrees to:',
        ...ending.pending.map(({ tool, approvalId }) => `- ${tool} (approval ${approvalId})`),
      ];
  }
}

function errorText({ name, message, line, column, frame, hint }: GuestError): string[] {
  const place =
    line === null ? '' : ` (line ${line}${column === null ? '' : `, column ${column}`})`;
  return [
    `${name}: ${message}${place}`,
    ...(frame === '' ? [] : [frame]),
    ...(hint === '' ? [] : [`Hint: ${hint}`]),
  ];
}

function valueText(value: unknown): string {
  if (value === undefined) return 'undefined';
  const text = JSON.stringify(value, readable, 1) ?? typeof value;
  return text.length > MAX_VALUE_CHARS
    ? `${text.slice(0, MAX_VALUE_CHARS)}… (${text.length} characters)`
    : text;
}

function readable(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Map) return { Map: [...value] };
  if (value instanceof Set) return { Set: [...value] };
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  return value;
}
