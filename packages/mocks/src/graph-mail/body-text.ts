import type { ItemBody } from './message-fields.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&nbsp;': ' ',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
  '&amp;': '&',
};

/** What a reader sees of a body. */
export function plainText({ contentType, content }: ItemBody): string {
  if (contentType === 'text') return content;
  return content
    .replaceAll(/<[^<>]*>/g, ' ')
    .replaceAll(/&(?:nbsp|lt|gt|quot|#39|amp);/g, (entity) => ENTITIES[entity] ?? entity);
}

/** A text as it stands in HTML. */
export function htmlOf({ contentType, content }: ItemBody): string {
  if (contentType === 'html') return content;
  const escaped = content
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
  return escaped.replaceAll(/\r?\n/g, '<br>\n');
}

const PREVIEW_LENGTH = 255;

export function previewOf(body: ItemBody): string {
  return plainText(body).replaceAll(/\s+/g, ' ').trim().slice(0, PREVIEW_LENGTH);
}
