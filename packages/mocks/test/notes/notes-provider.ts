import { z } from 'zod';
import type { Json, WireRequest } from '../../src/wire/message.ts';
import type { Refusal, WireAnswer, WireCall, WireProvider } from '../../src/wire/provider.ts';

const Note = z.strictObject({ id: z.string(), text: z.string() });
const NewNote = z.strictObject({
  text: z.string(),
  tags: z.array(z.string()).optional(),
  password: z.string().optional(),
});
const Snapshot = z.array(Note);

type Note = z.output<typeof Note>;

/** The smallest provider there can be, to look at the exchange alone: notes that can be written, read and listed. */
export class NotesProvider implements WireProvider {
  readonly name = 'mployer';
  readonly operations = {
    'notes.create': { isWrite: true, latency: { medianMs: 200, sigma: 0.4 } },
    'notes.get': { isWrite: false, latency: { medianMs: 100, sigma: 0.4 } },
    'notes.list': { isWrite: false, latency: { medianMs: 150, sigma: 0.4 } },
  };
  #notes: readonly Note[] = [];
  /** What each call was told, besides the request. */
  readonly calls: WireCall[] = [];

  operationOf({ method, path }: WireRequest): string | undefined {
    if (path === '/notes') return method === 'POST' ? 'notes.create' : 'notes.list';
    return path.startsWith('/notes/') ? 'notes.get' : undefined;
  }

  handle(request: WireRequest, call: WireCall): WireAnswer {
    this.calls.push(call);
    switch (call.operation) {
      case 'notes.create':
        return this.#create(request, call);
      case 'notes.get':
        return this.#get(request, call);
      case 'notes.list': {
        const notes = [...(call.isStale ? this.#notes.slice(0, -1) : this.#notes)];
        return ok({ notes, next: `${request.origin}/notes?page=2` });
      }
      default:
        return problem(404, `no ${request.path}`);
    }
  }

  refuse({ status, retryAfterMs }: Refusal): WireAnswer {
    const { headers, ...rest } = problem(status, 'as told');
    const seconds = retryAfterMs === undefined ? {} : { 'retry-after': `${retryAfterMs / 1000}` };
    return { ...rest, headers: { ...headers, ...seconds } };
  }

  snapshot(): Json {
    return [...this.#notes];
  }

  restore(snapshot: unknown): void {
    this.#notes = Snapshot.parse(snapshot);
  }

  reset(): void {
    this.#notes = [];
  }

  #create({ body }: WireRequest, { n }: WireCall): WireAnswer {
    const note = NewNote.safeParse(body.kind === 'json' ? body.value : undefined);
    if (!note.success) return problem(400, `a note needs a text, not ${body.kind}`);
    const id = `note-${n}`;
    this.#notes = [...this.#notes, { id, text: note.data.text }];
    return {
      ...ok({ id, text: note.data.text, token: 'Zm9vYmFyYmF6' }),
      status: 201,
      changes: [{ kind: 'created', what: 'note', id }],
    };
  }

  #get({ path }: WireRequest, { isStale }: WireCall): WireAnswer {
    const notes = isStale ? this.#notes.slice(0, -1) : this.#notes;
    const note = notes.find(({ id }) => path === `/notes/${id}`);
    return note ? ok(note) : problem(404, 'no such note');
  }
}

function ok(body: Json): WireAnswer {
  return { status: 200, headers: { 'x-notes': 'yes' }, body };
}

function problem(status: number, message: string): WireAnswer {
  return { status, headers: { 'x-notes': 'no' }, body: { error: { message } } };
}
