import type { ReliabilityStep } from '../../scores/score-forecasts.ts';
import { count, decimal, percent } from '../numbers.ts';
import {
  at,
  element,
  FAINT_INK,
  GRID,
  INK,
  picture,
  type Svg,
  textElement,
  textWidth,
} from '../svg.ts';
import { corpCurve } from './corp-curve.ts';
import type { ForecastGroup, ForecastRecord, Reliability } from './reliability-collector.ts';

const WIDTH = 560;
const HEIGHT = 648;
/** The square in which forecast and frequency meet, and the strip of counts below it. */
const PLOT = { left: 70, top: 72, size: 430 };
const STRIP = { top: 526, height: 64 };
const BINS = 20;

interface Series {
  name: string;
  color: string;
  record: ForecastRecord;
}

/**
 * Draws forecast against recalibrated frequency: on the diagonal a forecast of 70 % comes true 7 times in 10, below it the
 * forecasts promise too much. Below the plot, how many forecasts there were of which height.
 */
export function reliabilityDiagram({ predicted, calibrated }: Reliability): string {
  const wasRecalibrated = JSON.stringify(predicted.groups) !== JSON.stringify(calibrated.groups);
  const asPredicted = { name: 'as predicted', color: '#c2410c', record: predicted };
  const recalibrated = { name: 'recalibrated', color: '#1d5fa8', record: calibrated };
  const series: Series[] = wasRecalibrated ? [asPredicted, recalibrated] : [asPredicted];
  const isEmpty = predicted.count === 0;
  return picture(
    {
      width: WIDTH,
      height: HEIGHT,
      title: 'Reliability of the predictions',
      description: isEmpty ? 'No task has been scored yet.' : series.map(described).join(' '),
    },
    heading(predicted.count),
    ...axes(),
    ...(isEmpty ? [emptyNote()] : series.flatMap(curve)),
    ...histogram(series),
    ...(isEmpty ? [] : legend(series)),
  );
}

function described({ name, record }: Series): string {
  const cameTrue = record.count === 0 ? null : record.successes / record.count;
  return (
    `${count(record.count)} forecasts ${name}: ${percent(record.meanForecast)} on average, ` +
    `${percent(cameTrue)} came true.`
  );
}

function heading(tasks: number): Svg {
  return element(
    'g',
    {},
    textElement(
      'text',
      { x: 24, y: 30, 'font-size': 16, 'font-weight': 600 },
      'Did what was predicted come true?',
    ),
    textElement(
      'text',
      { x: 24, y: 50, fill: FAINT_INK },
      `${count(tasks)} scored ${tasks === 1 ? 'task' : 'tasks'}; CORP reliability diagram`,
    ),
  );
}

const x = (probability: number) => PLOT.left + PLOT.size * probability;
const y = (probability: number) => PLOT.top + PLOT.size * (1 - probability);

function axes(): Svg[] {
  const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1];
  const bottom = PLOT.top + PLOT.size;
  const strip = STRIP.top + STRIP.height;
  return [
    ...ticks.flatMap((tick) => [
      line(x(tick), PLOT.top, x(tick), bottom, GRID),
      line(PLOT.left, y(tick), PLOT.left + PLOT.size, y(tick), GRID),
      label(PLOT.left - 10, y(tick) + 4, 'end', tickLabel(tick)),
      label(x(tick), strip + 18, 'middle', tickLabel(tick)),
    ]),
    element('line', {
      x1: x(0),
      y1: y(0),
      x2: x(1),
      y2: y(1),
      stroke: FAINT_INK,
      'stroke-dasharray': '5 4',
    }),
    sideLabel(20, PLOT.top + PLOT.size / 2, 'how often it came true'),
    sideLabel(20, STRIP.top + STRIP.height / 2, 'tasks'),
    label(PLOT.left + PLOT.size / 2, strip + 42, 'middle', 'predicted probability of success'),
  ];
}

function tickLabel(probability: number): string {
  return `${Math.round(100 * probability)} %`;
}

function curve({ color, record }: Series): Svg[] {
  const steps = corpCurve(record.groups);
  const path = steps
    .map(({ from, to, frequency }, index) => {
      const start = `${index === 0 ? 'M' : 'L'}${at(x(from))} ${at(y(frequency))}`;
      return from === to ? start : `${start}H${at(x(to))}`;
    })
    .join('');
  return [
    element('path', {
      d: path,
      fill: 'none',
      stroke: color,
      'stroke-width': 2.5,
      'stroke-linejoin': 'round',
      'stroke-linecap': 'round',
    }),
    ...steps.filter(isPoint).map((step) =>
      element('circle', {
        cx: x(step.from),
        cy: y(step.frequency),
        r: steps.length > 12 ? 2.5 : 4,
        fill: color,
      }),
    ),
  ];
}

/** One forecast alone would not show on a line. */
function isPoint({ from, to }: ReliabilityStep): boolean {
  return (to - from) * PLOT.size < 1;
}

function histogram(series: readonly Series[]): Svg[] {
  const counts = series.map(({ record }) => binned(record.groups));
  const most = Math.max(1, ...counts.flat());
  const bin = PLOT.size / BINS;
  const bar = (bin - 4) / series.length;
  const base = STRIP.top + STRIP.height;
  return [
    ...series.map(({ color }, index) => {
      const path = (counts[index] ?? []).map((size, n) => {
        if (size === 0) return '';
        const height = Math.max(1, (STRIP.height * size) / most); // one task in a million shows too
        const left = PLOT.left + n * bin + 2 + index * bar;
        return `M${at(left)} ${at(base)}v${at(-height)}h${at(bar)}v${at(height)}z`;
      });
      return element('path', { d: path.join(''), fill: color, 'fill-opacity': 0.85 });
    }),
    line(PLOT.left, base, PLOT.left + PLOT.size, base, FAINT_INK),
    ...(counts.flat().some((size) => size > 0)
      ? [
          line(PLOT.left - 5, STRIP.top, PLOT.left, STRIP.top, FAINT_INK),
          label(PLOT.left - 10, STRIP.top + 4, 'end', count(most)),
        ]
      : []),
  ];
}

function binned(groups: readonly ForecastGroup[]): number[] {
  const bins = Array.from({ length: BINS }, () => 0);
  for (const { forecast, count: size } of groups) {
    const bin = Math.min(BINS - 1, Math.floor(forecast * BINS));
    bins[bin] = (bins[bin] ?? 0) + size;
  }
  return bins;
}

/** In the upper left, where only forecasts that promise far too little would come. */
function legend(series: readonly Series[]): Svg[] {
  const rows = [
    ...series.map(({ name, color, record }) => ({
      text: `${name}: mean ${percent(record.meanForecast)}, Brier ${decimal(record.brier, 3)}`,
      color,
      dashes: 'none',
    })),
    { text: 'perfect', color: FAINT_INK, dashes: '5 4' },
  ];
  const width = 46 + Math.max(...rows.map(({ text }) => textWidth(text)));
  const left = PLOT.left + 12;
  const top = PLOT.top + 12;
  return [
    element('rect', {
      x: left,
      y: top,
      width,
      height: 20 * rows.length + 10,
      rx: 4,
      fill: '#ffffff',
      stroke: GRID,
    }),
    ...rows.flatMap(({ text, color, dashes }, index) => {
      const middle = top + 15 + 20 * index;
      return [
        element('line', {
          x1: left + 10,
          y1: middle,
          x2: left + 32,
          y2: middle,
          stroke: color,
          'stroke-width': dashes === 'none' ? 2.5 : 1,
          'stroke-dasharray': dashes,
        }),
        label(left + 40, middle + 4, 'start', text, INK),
      ];
    }),
  ];
}

function emptyNote(): Svg {
  const middle = PLOT.left + PLOT.size / 2;
  const baseline = PLOT.top + PLOT.size / 2;
  return element(
    'g',
    {},
    element('rect', { x: middle - 105, y: baseline - 20, width: 210, height: 32, fill: '#ffffff' }),
    label(middle, baseline, 'middle', 'no task has been scored yet'),
  );
}

function line(x1: number, y1: number, x2: number, y2: number, stroke: string): Svg {
  return element('line', { x1, y1, x2, y2, stroke });
}

function label(
  left: number,
  baseline: number,
  anchor: 'start' | 'middle' | 'end',
  text: string,
  fill = FAINT_INK,
): Svg {
  return textElement('text', { x: left, y: baseline, 'text-anchor': anchor, fill }, text);
}

function sideLabel(left: number, middle: number, text: string): Svg {
  return textElement(
    'text',
    {
      x: left,
      y: middle,
      'text-anchor': 'middle',
      fill: FAINT_INK,
      transform: `rotate(-90 ${left} ${middle})`,
    },
    text,
  );
}
