import { readFileSync, writeFileSync } from 'node:fs';

// Loaded before the program that is measured (`node --import`); writes the peak of its resident memory, in bytes, when it ends.
process.on('exit', () => {
  const file = process.env['BUDDY_BENCH_PEAK_FILE'];
  if (file !== undefined) writeFileSync(file, String(peakBytes()));
});

function peakBytes(): number {
  // On Linux, maxRSS also counts the process that this one was forked from; VmHWM is its own.
  return (
    (process.platform === 'linux' ? highWaterMark() : undefined) ??
    process.resourceUsage().maxRSS * 1024
  );
}

function highWaterMark(): number | undefined {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}
