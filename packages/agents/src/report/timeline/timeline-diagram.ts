import { counted, duration } from '../numbers.ts';
import { at, element, FAINT_INK, picture, type Svg, textElement, textWidth } from '../svg.ts';
import { type Frame, ROWS_TOP, waveBands, waveBorders } from './wave-bands.ts';
import { durationTicks } from './duration-ticks.ts';
import {
  type AgentTimeline,
  TIME_USES,
  type Timeline,
  type TimeUse,
} from './timeline-collector.ts';

const WIDTH = 960;
const RIGHT = 72;
const MOST_ROWS = 60;

/** Told apart by lightness too, for those who see few colours. */
const COLORS: Readonly<Record<TimeUse, string>> = {
  succeeded: '#4a90d0',
  retried: '#f2b134',
  failed: '#b3261e',
  other: '#aab4c0',
};

const LABELS: Readonly<Record<TimeUse, string>> = {
  succeeded: 'succeeded',
  retried: 'failed, then tried again',
  failed: 'failed for good',
  other: 'denied, waiting or cancelled',
};

/**
 * Draws a row per agent with time running to the right: the height of the bar is the share of its capacity that was busy,
 * its colour what the attempts came to. Waves stand above. Of more than 60 agents the first 60 are drawn.
 */
export function timelineDiagram(timeline: Timeline): string {
  const agents = timeline.agents.slice(0, MOST_ROWS);
  const frame = frameFor(timeline, agents);
  const isEmpty = agents.length === 0 || timeline.endedAt === timeline.startedAt;
  const height = frame.bottom + (timeline.agents.length > agents.length ? 92 : 72);
  return picture(
    {
      width: WIDTH,
      height,
      title: 'Who was busy when',
      description: described(timeline),
    },
    heading(timeline),
    ...(isEmpty
      ? [emptyNote(frame)]
      : [
          ...waveBands(timeline, frame),
          ...agents.flatMap((agent, index) => agentRow(timeline, agent, index, frame)),
          ...waveBorders(timeline, frame),
          ...timeAxis(frame),
          ...legend(height - 20, frame.left),
        ]),
    ...moreAgents(timeline.agents.length - agents.length, frame),
  );
}

function frameFor(timeline: Timeline, agents: readonly AgentTimeline[]): Frame {
  const longest = Math.max(0, ...agents.map(({ agentId }) => textWidth(shortName(agentId))));
  const left = Math.max(64, Math.ceil(longest) + 32);
  const pitch = agents.length <= 8 ? 38 : agents.length <= 20 ? 26 : 18;
  return {
    left,
    width: WIDTH - left - RIGHT,
    pitch,
    bar: pitch - (agents.length <= 20 ? 8 : 4),
    bottom: ROWS_TOP + pitch * Math.max(1, agents.length),
    spanMs: Math.max(1, timeline.endedAt - timeline.startedAt),
  };
}

function described(timeline: Timeline): string {
  const spanMs = timeline.endedAt - timeline.startedAt;
  const busy = timeline.agents
    .slice(0, MOST_ROWS)
    .map((agent) => `${agent.agentId} ${busyShare(agent, spanMs)}`);
  return [
    `${counted(timeline.waves.length, 'wave')} in ${duration(spanMs)}.`,
    busy.length > 0 ? `Busy: ${busy.join(', ')}.` : 'No agents.',
  ].join(' ');
}

function heading(timeline: Timeline): Svg {
  const spanMs = timeline.endedAt - timeline.startedAt;
  return element(
    'g',
    {},
    textElement(
      'text',
      { x: 24, y: 30, 'font-size': 16, 'font-weight': 600 },
      'Who was busy when, and to what end?',
    ),
    textElement(
      'text',
      { x: 24, y: 50, fill: FAINT_INK },
      [
        counted(timeline.agents.length, 'agent'),
        counted(timeline.waves.length, 'wave'),
        duration(spanMs),
        'full height: all its capacity busy',
      ].join('; '),
    ),
  );
}

function agentRow(timeline: Timeline, agent: AgentTimeline, index: number, frame: Frame): Svg[] {
  const base = ROWS_TOP + frame.pitch * index + frame.bar;
  const middle = base - frame.bar / 2 + 4;
  const share = busyShare(agent, timeline.endedAt - timeline.startedAt);
  return [
    element('rect', {
      x: frame.left,
      y: base - frame.bar,
      width: frame.width,
      height: frame.bar,
      fill: '#f3f5f8',
    }),
    element(
      'g',
      {},
      textElement('title', {}, `${agent.agentId}: busy ${share} of its capacity`),
      textElement(
        'text',
        { x: frame.left - 10, y: middle, 'text-anchor': 'end' },
        shortName(agent.agentId),
      ),
      ...bars(timeline, agent, base, frame),
    ),
    textElement('text', { x: WIDTH - 20, y: middle, 'text-anchor': 'end', fill: FAINT_INK }, share),
  ];
}

/** One path for each use of time, stacked. */
function bars(timeline: Timeline, agent: AgentTimeline, base: number, frame: Frame): Svg[] {
  const stacked = agent.busyMs.succeeded.map(() => 0);
  return TIME_USES.flatMap((use) => {
    const path = agent.busyMs[use].map((busyMs, bucket) => {
      if (busyMs === 0) return '';
      const from = bucket * timeline.bucketMs;
      const to = Math.min(from + timeline.bucketMs, frame.spanMs);
      const below = stacked[bucket] ?? 0;
      const above = Math.min(1, below + busyMs / ((to - from) * agent.capacity));
      stacked[bucket] = above;
      // Absolute edges: those of neighbours are then the same number, and no gap shows between them.
      const [left, right] = [from, to].map((ms) =>
        at(frame.left + (frame.width * ms) / frame.spanMs),
      );
      const [bottom, top] = [below, above].map((share) => at(base - frame.bar * share));
      return `M${left} ${bottom}V${top}H${right}V${bottom}z`;
    });
    const d = path.join('');
    return d === ''
      ? []
      : [element('path', { d, fill: COLORS[use], 'shape-rendering': 'crispEdges' })]; // no seams;
  });
}

function busyShare({ busyMs, capacity }: AgentTimeline, spanMs: number): string {
  const total = TIME_USES.flatMap((use) => busyMs[use]).reduce((a, b) => a + b, 0);
  return `${Math.round((100 * total) / Math.max(1, spanMs * capacity))} %`;
}

function timeAxis(frame: Frame): Svg[] {
  return durationTicks(frame.spanMs, 8).flatMap(({ atMs, label }) => {
    const x = frame.left + (frame.width * atMs) / frame.spanMs;
    return [
      element('line', {
        x1: x,
        y1: frame.bottom - 2,
        x2: x,
        y2: frame.bottom + 4,
        stroke: FAINT_INK,
      }),
      textElement(
        'text',
        { x, y: frame.bottom + 20, 'text-anchor': 'middle', fill: FAINT_INK },
        label,
      ),
    ];
  });
}

function emptyNote(frame: Frame): Svg {
  return textElement(
    'text',
    { x: WIDTH / 2, y: (ROWS_TOP + frame.bottom) / 2, 'text-anchor': 'middle', fill: FAINT_INK },
    'nothing has run yet',
  );
}

function moreAgents(rest: number, frame: Frame): Svg[] {
  if (rest <= 0) return [];
  const text = `and ${counted(rest, 'more agent')}`;
  return [textElement('text', { x: frame.left, y: frame.bottom + 42, fill: FAINT_INK }, text)];
}

function legend(baseline: number, left: number): Svg[] {
  let x = left;
  return TIME_USES.flatMap((use) => {
    const swatch = element('rect', {
      x,
      y: baseline - 10,
      width: 12,
      height: 12,
      rx: 2,
      fill: COLORS[use],
    });
    const text = textElement('text', { x: x + 18, y: baseline }, LABELS[use]);
    x += 18 + textWidth(LABELS[use]) + 24;
    return [swatch, text];
  });
}

function shortName(agentId: string): string {
  return agentId.length <= 18 ? agentId : `${agentId.slice(0, 17)}…`;
}
