import { element, FAINT_INK, INK, type Svg, textElement, textWidth } from '../svg.ts';
import type { Timeline, WaveSpan } from './timeline-collector.ts';

/** Where the rows are, in pixels. */
export interface Frame {
  left: number;
  width: number;
  /** From one row to the next, and the height of a row that is busy all the time. */
  pitch: number;
  bar: number;
  bottom: number;
  spanMs: number;
}

/** The rows begin below the heading and the waves. */
export const ROWS_TOP = 112;

/** The waves, above the rows. */
export function waveBands(timeline: Timeline, frame: Frame): Svg[] {
  const top = ROWS_TOP - 32;
  const rowName = textElement(
    'text',
    { x: frame.left - 10, y: top + 14, 'text-anchor': 'end', 'font-size': 11, fill: FAINT_INK },
    'wave',
  );
  const bands = (isCrowded(timeline, frame, 2) ? [] : timeline.waves).map((span, index) => {
    const { left, width } = placeOf(span, timeline, frame);
    const fill = index % 2 === 0 ? '#dfe6ee' : '#eef2f6';
    return element('rect', { x: left, y: top, width, height: 20, fill });
  });
  const labels = [...labelledWaves(timeline, frame)].map(([span, text]) => {
    const { left, width } = placeOf(span, timeline, frame);
    const x = left + width / 2;
    return textElement(
      'text',
      { x, y: top + 14, 'text-anchor': 'middle', 'font-size': 11, fill: INK },
      text,
    );
  });
  return [rowName, ...bands, ...labels];
}

/** The number of each wave; where there is no room for all, of each second, fifth, tenth … */
function labelledWaves(timeline: Timeline, frame: Frame): Map<WaveSpan, string> {
  const numbered = (every: number) =>
    new Map(
      timeline.waves
        .filter(({ wave }) => wave % every === 0)
        .map((span) => [span, String(span.wave)]),
    );
  const fits = (candidate: Map<WaveSpan, string>) => {
    let free = -Infinity;
    return [...candidate].every(([span, text]) => {
      const { left, width } = placeOf(span, timeline, frame);
      const half = textWidth(text, 11) / 2;
      const hasRoom = left + width / 2 - half > free;
      free = left + width / 2 + half + 8;
      return hasRoom;
    });
  };
  for (let power = 1; ; power *= 10) {
    for (const every of [power, 2 * power, 5 * power]) {
      const labels = numbered(every);
      if (fits(labels)) return labels;
    }
  }
}

/** Thin lines through all rows, as long as they do not become a curtain. */
export function waveBorders(timeline: Timeline, frame: Frame): Svg[] {
  if (isCrowded(timeline, frame, 14)) return [];
  return timeline.waves.map((span) => {
    const { left } = placeOf(span, timeline, frame);
    return element('line', {
      x1: left,
      y1: ROWS_TOP - 32,
      x2: left,
      y2: frame.bottom,
      stroke: '#8793a1',
      'stroke-width': 0.8,
      'stroke-dasharray': '2 3',
    });
  });
}

/** Whether a wave has less than so many pixels, on average. */
function isCrowded({ waves }: Timeline, { width }: Frame, pixels: number): boolean {
  return waves.length * pixels > width;
}

function placeOf(span: WaveSpan, timeline: Timeline, frame: Frame) {
  const scale = frame.width / frame.spanMs;
  return {
    left: frame.left + scale * (span.startedAt - timeline.startedAt),
    width: scale * (span.endedAt - span.startedAt),
  };
}
