import { DatabaseSync } from 'node:sqlite';

// An application that keeps its database open. It does what its parent asks, and says how it went.
const file = process.argv[2] ?? '';
let database: DatabaseSync | undefined;

const actions: Record<string, () => unknown> = {
  open: () => {
    database ??= new DatabaseSync(file);
    return database.prepare('SELECT count(*) AS count FROM orders').get()?.['count'];
  },
  close: () => {
    database?.close();
    database = undefined;
    return null;
  },
  insert: () => database?.exec(`INSERT INTO orders (note) VALUES ('another')`) ?? null,
  count: () => database?.prepare('SELECT count(*) AS count FROM orders').get()?.['count'],
};

process.on('message', ({ id, action }: { id: number; action: string }) => {
  try {
    process.send?.({ id, ok: true, value: actions[action]?.() });
  } catch (error) {
    process.send?.({ id, ok: false, message: String(error) });
  }
});
process.on('disconnect', () => process.exit());
process.send?.({ id: 0 });
