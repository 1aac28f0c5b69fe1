import type { WireBody } from './message.ts';

/** Reads what a request carries, as its content type says. A JSON body without a content type is taken for JSON. */
export function readBody(text: string, contentType: string | undefined): WireBody {
  const type = mediaTypeOf(contentType ?? '');
  if (text === '') return { kind: 'none' };
  if (type === 'application/x-www-form-urlencoded') {
    return { kind: 'form', fields: new URLSearchParams(text) };
  }
  if (type !== '' && type !== 'application/json' && !type.endsWith('+json')) {
    return { kind: 'unreadable', contentType: type, text };
  }
  try {
    const value: unknown = JSON.parse(text);
    return { kind: 'json', value };
  } catch {
    return { kind: 'unreadable', contentType: type, text };
  }
}

/** The same as text; undefined when there is none. */
export function writeBody(body: WireBody): string | undefined {
  switch (body.kind) {
    case 'none':
      return undefined;
    case 'json':
      return JSON.stringify(body.value);
    case 'form':
      return body.fields.toString();
    case 'unreadable':
      return body.text;
  }
}

/** Without its parameters, in lower case. */
function mediaTypeOf(contentType: string): string {
  return (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
}
