import { type FileHandle, open } from 'node:fs/promises';

/**
 * Appends whole lines to a file and returns its new size. A torn last line (an earlier crash) is ended first, so that no
 * record is glued to it. When writing fails half-way (a full disk), the half line is taken back.
 * @param knownSize Where the file ended when it was last written; undefined when it never was.
 * @throws What the system throws; also when the file has become shorter than it was known to be.
 */
export async function appendLines(
  path: string,
  lines: readonly string[],
  knownSize: number | undefined,
): Promise<number> {
  const file = await open(path, 'a+');
  try {
    let { size } = await file.stat();
    if (knownSize !== undefined && size < knownSize) {
      throw new Error(`it shrank from ${knownSize} to ${size} bytes; records are lost`);
    }
    const isTorn = size !== knownSize && !(await endsInNewline(file, size));
    const wholeLines = isTorn ? ['\n', ...lines] : lines;
    for (const bytes of inChunks(wholeLines)) {
      await writeWhole(file, bytes, size);
      size += bytes.length;
    }
    return size;
  } finally {
    await file.close();
  }
}

/** A write of this many bytes or so ends at the end of a line. */
const CHUNK_CHARS = 262_144;

function* inChunks(lines: readonly string[]): Generator<Buffer> {
  let chunk: string[] = [];
  let chars = 0;
  for (const line of lines) {
    chunk.push(line);
    chars += line.length;
    if (chars < CHUNK_CHARS) continue;
    yield Buffer.from(chunk.join(''));
    chunk = [];
    chars = 0;
  }
  if (chars > 0) yield Buffer.from(chunk.join(''));
}

async function writeWhole(file: FileHandle, bytes: Buffer, size: number): Promise<void> {
  try {
    for (let done = 0; done < bytes.length;) {
      done += (await file.write(bytes, done)).bytesWritten;
    }
  } catch (error) {
    try {
      await file.truncate(size);
    } catch (truncateError) {
      throw new AggregateError(
        [error, truncateError],
        `${String(error)}; a half line stays in it`,
        {
          cause: truncateError,
        },
      );
    }
    throw error;
  }
}

async function endsInNewline(file: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return true;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === 0x0a;
}
