import { blocks } from './markdown.ts';
import { reliabilityDiagram } from './reliability/reliability-diagram.ts';
import type { ReportData } from './report-data.ts';
import { nextSteps } from './next-steps.ts';
import { sections } from './sections.ts';
import { notes, pictures, summary } from './summary.ts';
import {
  actions,
  agents,
  anomalies,
  failures,
  input,
  learning,
  runDetails,
  waiting,
  waves,
} from './tables.ts';
import { timelineDiagram } from './timeline/timeline-diagram.ts';

export interface Report {
  markdown: string;
  /** SVG files that the Markdown shows; paths are relative to it. */
  pictures: { path: string; svg: string }[];
}

/**
 * Tells what a run did, in Markdown with pictures beside it: first whether it worked, how well, and what to do next; then
 * the tables. The same data gives the same bytes. Text from the data is shown as it is and never read as Markdown or XML.
 * @example
 * const { markdown, pictures } = renderReport(data);
 * await output.write('phase21/report.md', markdown);
 * for (const { path, svg } of pictures) await output.write(`phase21/${path}`, svg);
 */
export function renderReport(data: ReportData): Report {
  const reliability = { path: 'reliability.svg', svg: reliabilityDiagram(data.reliability) };
  const timeline = { path: 'timeline.svg', svg: timelineDiagram(data.timeline) };
  const markdown = blocks(
    summary(data),
    nextSteps(data),
    notes(data),
    pictures(data, { reliability: reliability.path, timeline: timeline.path }),
    waves(data),
    agents(data),
    actions(data),
    failures(data),
    sections(data),
    anomalies(data),
    learning(data),
    waiting(data),
    input(data),
    runDetails(data),
  );
  return { markdown: `${markdown}\n`, pictures: [reliability, timeline] };
}
