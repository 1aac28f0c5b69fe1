import type { WriteStream } from 'node:tty';
import type { BotReport, Supervisor } from '@buddy/bots';
import { createLogUpdate } from 'log-update';

export interface BotsDisplay {
  /** Leaves the last table and a summary behind. */
  end(reports: readonly BotReport[]): void;
}

const FRAME_MS = 200;

/** A table that is drawn anew in a terminal; elsewhere a line for each event. */
export function showBots(
  supervisor: Supervisor,
  output: Pick<WriteStream, 'write'> & { readonly isTTY?: boolean },
): BotsDisplay {
  const counts = countEvents(supervisor);
  const stop = output.isTTY ? drawTable(supervisor) : writeLines(supervisor, output);
  return {
    end: (reports) => {
      stop();
      output.write(`${tableOf(reports)}\n`);
      const { exits, restarts, breaches, quarantines } = counts;
      output.write(
        `${exits} ends, ${restarts} restarts, ${breaches} over a limit, ${quarantines} quarantined; nothing is left running.\n`,
      );
    },
  };
}

function countEvents({ events }: Supervisor) {
  const counts = { exits: 0, restarts: 0, breaches: 0, quarantines: 0 };
  events.on('botExited', () => (counts.exits += 1));
  events.on('botRestarting', () => (counts.restarts += 1));
  events.on('limitExceeded', () => (counts.breaches += 1));
  events.on('botQuarantined', () => (counts.quarantines += 1));
  return counts;
}

function drawTable(supervisor: Supervisor): () => void {
  const draw = createLogUpdate(process.stdout);
  const timer = setInterval(() => {
    void supervisor.statuses().then(
      (reports) => draw(tableOf(reports)),
      () => undefined, // it is closing
    );
  }, FRAME_MS);
  return () => {
    clearInterval(timer);
    draw.clear();
  };
}

function writeLines({ events }: Supervisor, output: Pick<WriteStream, 'write'>): () => void {
  const write = (botId: string, text: string) => output.write(`${botId.padEnd(8)} ${text}\n`);
  events.on('statusChanged', ({ botId, to, reason }) =>
    write(botId, reason === undefined ? to : `${to}: ${reason}`),
  );
  events.on('botExited', ({ botId, exit, reason }) =>
    write(botId, `ended, ${exit.kind}: ${reason}`),
  );
  return () => undefined;
}

function tableOf(reports: readonly BotReport[]): string {
  const rows = reports.map(({ id, status, pid, restarts, usage, statusReason }) => [
    id,
    status,
    pid === undefined ? '' : String(pid),
    `${restarts} restarts`,
    usage === undefined ? '' : `${Math.round(usage.rssBytes / 2 ** 20)} MB`,
    statusReason ?? '',
  ]);
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(WIDTHS[column] ?? 0))
        .join(' ')
        .trimEnd(),
    )
    .join('\n');
}

const WIDTHS = [8, 12, 8, 11, 7];
