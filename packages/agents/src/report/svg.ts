/** A piece of SVG. An object, so that text from outside cannot be taken for one. */
export interface Svg {
  readonly markup: string;
}

type Attributes = Readonly<Record<string, string | number>>;

/**
 * An element; numbers are rounded to a tenth, which is finer than any screen.
 * @example
 * element('circle', { cx: 10, cy: 10, r: 3 }); // { markup: '<circle cx="10" cy="10" r="3"/>' }
 */
export function element(tag: string, attributes: Attributes, ...children: readonly Svg[]): Svg {
  const written = Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${escapeXml(typeof value === 'number' ? at(value) : value)}"`)
    .join('');
  const inside = children.map((child) => child.markup).join('');
  return { markup: inside === '' ? `<${tag}${written}/>` : `<${tag}${written}>${inside}</${tag}>` };
}

/** An element that holds text. */
export function textElement(tag: string, attributes: Attributes, text: string): Svg {
  return element(tag, attributes, { markup: escapeXml(text) });
}

/** A coordinate, rounded to a tenth. */
export function at(value: number): string {
  return String(Math.round(value * 10) / 10 + 0); // + 0: never -0
}

/** A whole picture: on white of its own, so that it can be read on a dark page, and with words for who cannot see it. */
export function picture(
  { width, height, title, description }: PictureFrame,
  ...content: readonly Svg[]
): string {
  const svg = element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: 'img',
      'aria-labelledby': 'title description',
      'font-family': 'system-ui, "Segoe UI", Helvetica, Arial, sans-serif',
      'font-size': 12,
      fill: INK,
    },
    textElement('title', { id: 'title' }, title),
    textElement('desc', { id: 'description' }, description),
    element('rect', { width, height, rx: 6, fill: '#ffffff' }),
    ...content.map(({ markup }) => ({ markup: `\n${markup}` })),
  );
  return `${svg.markup}\n`;
}

interface PictureFrame {
  width: number;
  height: number;
  title: string;
  description: string;
}

export const INK = '#1f2933';
export const FAINT_INK = '#5f6c7b';
export const GRID = '#e3e7ec';

/** Rough, for no font is known here: enough to keep labels apart. */
export function textWidth(text: string, fontSize = 12): number {
  return text.length * fontSize * 0.56;
}

function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(NOT_IN_XML, '\ufffd')
    .replaceAll(/[&<>"'\t\n\r]/gu, (character) => `&#${character.codePointAt(0)};`);
}

// oxlint-disable-next-line no-control-regex -- XML 1.0 has no way to write these
const NOT_IN_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/gu;
