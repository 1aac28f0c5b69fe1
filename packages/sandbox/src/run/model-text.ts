import type { CallRecord, GuestError, RunEnding, RunFacts } from './result.ts';

const MAX_VALUE_CHARS = 8_000;
const MAX_LOG_LINES = 40;
const MAX_CALLS = 20;

/** What the author of the code needs to know to go on: the value or what went wrong, calls left behind, and the log. */
export function modelText(
  ending: RunEnding,
  { logs, calls }: Pick<RunFacts, 'logs' | 'calls'>,
): string {
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
  return [...bodyOf(ending), ...unansweredText(ending.status, calls), ...log].join('\n');
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

/** A call that nobody waited for reads like a success, and is none. */
function unansweredText(
  status: RunEnding['status'],
  calls: readonly CallRecord[],
): readonly string[] {
  const unanswered = calls.filter((call) => call.status === 'unanswered');
  if (unanswered.length === 0) return [];
  const [noun, was, it] =
    unanswered.length === 1 ? ['call', 'was', 'it'] : ['calls', 'were', 'each'];
  const named = unanswered
    .slice(0, MAX_CALLS)
    .map(({ tool, line }) => (line === null ? tool : `${tool} (line ${line})`));
  const left = unanswered.length - named.length;
  const which = `${named.join(', ')}${left > 0 ? `, and ${left} more` : ''}`;
  const count = `${unanswered.length} ${noun} ${was}`;
  const may = `and ${was} stopped; ${it} may or may not have happened`;
  switch (status) {
    case 'ok':
      return [`${count} not awaited ${may}: ${which}. Write await before every call.`];
    case 'error':
    case 'violation':
    case 'limit':
      return [`${count} not answered by then ${may}: ${which}.`];
    case 'paused':
      return [`${count} not begun yet; made when the program goes on: ${which}.`];
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
