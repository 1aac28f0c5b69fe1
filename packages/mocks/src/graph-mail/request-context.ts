import type { WireRequest } from '../wire/message.ts';
import type { WireCall } from '../wire/provider.ts';

/** How a caller wants its answer, and what the answer has to repeat. */
export interface RequestContext {
  readonly request: WireRequest;
  readonly call: WireCall;
  /** Names this one change of state, whenever it is made again with the same seed: a call, or a step of a batch. */
  readonly key: string;
  /** `users('ada%40example.com')`, for contexts and locations. */
  readonly user: string;
  readonly wantsImmutableIds: boolean;
  readonly bodyType: 'text' | 'html' | undefined;
  /** The values of `Prefer` that are followed. */
  readonly appliedPreferences: readonly string[];
}

export function contextOf(
  request: WireRequest,
  call: WireCall,
  key: string,
  mailbox: string,
): RequestContext {
  const preferences = preferencesOf(request.headers['prefer'] ?? '');
  return {
    request,
    call,
    key,
    user: `users('${encodeURIComponent(mailbox)}')`,
    wantsImmutableIds: preferences.some(({ name }) => name === 'idtype'),
    bodyType: preferences.find(({ name }) => name === 'outlook.body-content-type')?.value,
    appliedPreferences: preferences.map(({ text }) => text),
  };
}

interface Preference {
  readonly name: 'idtype' | 'outlook.body-content-type';
  readonly value: 'text' | 'html' | undefined;
  readonly text: string;
}

const PREFERENCE = /^\s*([\w.-]+)\s*=\s*"?([\w-]+)"?\s*$/;

function preferencesOf(header: string): readonly Preference[] {
  return header.split(',').flatMap((part): Preference[] => {
    const [, name = '', value = ''] = PREFERENCE.exec(part) ?? [];
    const text = part.trim();
    const choice = value.toLowerCase();
    switch (name.toLowerCase()) {
      case 'idtype':
        return choice === 'immutableid' ? [{ name: 'idtype', value: undefined, text }] : [];
      case 'outlook.body-content-type':
        return choice === 'text' || choice === 'html'
          ? [{ name: 'outlook.body-content-type', value: choice, text }]
          : [];
      default:
        return [];
    }
  });
}
