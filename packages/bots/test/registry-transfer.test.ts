import { readFile, stat, writeFile } from 'node:fs/promises';
import { type BotConfig, BotRole, type BotRegistry } from '@buddy/bots';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { config, newWorld } from './registry/world.ts';

describe('an export', () => {
  it('has what was written about bots and templates, not what became of them, in one order', async () => {
    const { registry } = newWorld();
    await registry.create(config('mailer', { tags: ['crm'] }));
    await registry.putTemplate({ name: 'node', deployment: { stopGraceMs: 10, command: 'node' } });
    await registry.create({ role: 'worker', template: 'node', id: 'crawler' });
    await registry.record('mailer', { status: 'starting' });
    expect(await registry.export()).toBe(`{
  "format": "buddy-bots",
  "version": 1,
  "templates": [
    {
      "name": "node",
      "deployment": {
        "command": "node",
        "stop_grace_ms": 10
      }
    }
  ],
  "bots": [
    {
      "id": "crawler",
      "role": "worker",
      "template": "node"
    },
    {
      "id": "mailer",
      "role": "worker",
      "tags": [
        "crm"
      ],
      "deployment": {
        "command": "node"
      }
    }
  ]
}
`);
  });

  it(
    'is the same after it was imported elsewhere, whatever the bots are',
    () =>
      fc.assert(
        fc.asyncProperty(fc.uniqueArray(configs, { selector: ({ id }) => id }), async (bots) => {
          const [one, other] = [newWorld().registry, newWorld().registry];
          await one.putTemplate({ name: 'base', deployment: { command: 'node', args: ['x'] } });
          await Promise.all(bots.map((bot) => one.create(bot)));
          const text = await one.export();
          const { added, problems } = await other.import(text);
          expect(problems).toEqual([]);
          expect(added).toHaveLength(bots.length + 1);
          expect(await other.export()).toBe(text);
          expect((await other.import(text)).unchanged).toHaveLength(bots.length + 1);
        }),
        { numRuns: 25 },
      ),
    60_000,
  );
});

describe('an import', () => {
  it('adds what is not there, and leaves alone what the document does not name', async () => {
    const { registry } = newWorld();
    await registry.create(config('mailer'));
    const report = await registry.import(documentOf({ bots: [crawler] }));
    expect(report.added).toEqual([{ kind: 'bot', name: 'crawler', differences: [] }]);
    expect((await registry.all()).map(({ id }) => id)).toEqual(['mailer', 'crawler']);
  });

  it('is refused as a whole when something is there already and differs', async () => {
    const { registry } = await withCrawler();
    const text = documentOf({ bots: [{ ...crawler, role: 'monitor' }, mailer] });
    await expect(registry.import(text)).rejects.toMatchObject({
      code: 'BOTS_IMPORT_REFUSED',
      conflicts: ['bot crawler'],
    });
    expect(await registry.all()).toMatchObject([{ id: 'crawler', role: 'worker', revision: 1 }]);
  });

  it('replaces or skips what differs when it is told to', async () => {
    const { registry } = await withCrawler();
    await registry.record('crawler', { status: 'starting' });
    const text = documentOf({ bots: [{ ...crawler, role: 'monitor' }, mailer] });
    const skipping = await registry.import(text, { conflicts: 'skip' });
    expect(names(skipping.skipped)).toEqual(['crawler']);
    expect(names(skipping.added)).toEqual(['mailer']);
    expect(await registry.get('crawler')).toMatchObject({ role: 'worker' });
    const replacing = await registry.import(text, { conflicts: 'replace' });
    expect(names(replacing.replaced)).toEqual(['crawler']);
    expect(names(replacing.unchanged)).toEqual(['mailer']);
    expect(await registry.get('crawler')).toMatchObject({
      role: 'monitor',
      status: 'starting',
      revision: 2,
    });
  });

  it('says beforehand what it would do, field by field, and changes nothing', async () => {
    const { registry, file } = await withCrawler();
    const before = await stat(file);
    const changed = {
      ...crawler,
      tags: ['a'],
      deployment: { command: 'bun', stop_grace_ms: 7, restart: { intensity: 2 } },
    };
    const report = await registry.import(documentOf({ bots: [changed, mailer] }), {
      isDryRun: true,
    });
    expect(report).toEqual({
      isDryRun: true,
      added: [{ kind: 'bot', name: 'mailer', differences: [] }],
      replaced: [],
      skipped: [],
      conflicts: [
        {
          kind: 'bot',
          name: 'crawler',
          differences: [
            { path: 'deployment.command', before: 'node', after: 'bun' },
            { path: 'deployment.restart.intensity', before: 4, after: 2 },
            { path: 'deployment.stop_grace_ms', before: undefined, after: 7 },
            { path: 'tags', before: undefined, after: ['a'] },
          ],
        },
      ],
      unchanged: [],
      problems: [],
    });
    const { ino, mtimeMs } = await stat(file);
    expect({ ino, mtimeMs }).toEqual({ ino: before.ino, mtimeMs: before.mtimeMs });
  });

  it('reports an entry that is malformed with path and reason, and takes the others', async () => {
    const { registry } = newWorld();
    const report = await registry.import(
      documentOf({
        templates: [{ name: 'Node', deployment: {} }],
        bots: [
          { id: 'one', role: 'boss', deployment: { command: 'node' } },
          { id: 'two', role: 'worker', deployment: { command: 'node', env: ['A=hunter2'] } },
          { id: 'three', role: 'worker', deployment: { command: 'node', stop_grace_ms: '5s' } },
          { id: 'four', role: 'worker', template: 'Node' },
          { id: 'five', role: 'worker', deployment: { command: 'node', stop_grace: 5 } },
          { id: 'six', role: 'worker' },
          mailer,
          mailer,
        ],
      }),
    );
    expect(names(report.added)).toEqual(['mailer']);
    expect(report.problems.map(({ path }) => path)).toEqual([
      'templates[0].name',
      'bots[0].role',
      'bots[1].deployment.env[0]',
      'bots[2].deployment.stop_grace_ms',
      'bots[3].template',
      'bots[4].deployment',
      'bots[5].deployment.command',
      'bots[7].id',
    ]);
    expect(report.problems.map(({ reason }) => reason)).toEqual([
      'must be lower-case letters, digits, - and _',
      expect.stringContaining('"worker"'),
      'must be the name of a variable; values are never stored',
      'Invalid input: expected number, received string',
      'there is no template "Node"',
      'there is no such field: stop_grace',
      'is missing',
      'an entry before it has the same',
    ]);
    expect(JSON.stringify(report)).not.toMatch('hunter2');
  });

  it('takes no field for another that JavaScript has', async () => {
    const { registry } = newWorld();
    const text = documentOf({ bots: [mailer] }).replace(
      '"id":"mailer"',
      '"id":"mailer","__proto__":{"tags":["a"]},"constructor":1',
    );
    const { problems } = await registry.import(text);
    expect(problems).toMatchObject([
      { path: 'bots[0]', reason: 'there is no such field: __proto__, constructor' },
    ]);
  });

  it('takes bots that depend on each other in any order, and no circles', async () => {
    const { registry } = newWorld();
    const report = await registry.import(
      documentOf({
        bots: [
          waiting('a', 'b'),
          waiting('b'),
          waiting('c', 'd'),
          waiting('d', 'c'),
          waiting('e', 'c'),
          waiting('f', 'z'),
        ],
      }),
    );
    expect(names(report.added)).toEqual(['a', 'b']);
    expect(report.problems.map(({ name }) => name)).toEqual(['c', 'd', 'f', 'e']);
    expect(await registry.all()).toHaveLength(2);
  });

  it('changes the bots that extend a template which it replaces', async () => {
    const { registry } = newWorld();
    await registry.putTemplate({ name: 'node', deployment: { command: 'node' } });
    await registry.create({ id: 'crawler', role: 'worker', template: 'node' });
    const moved = documentOf({
      templates: [{ name: 'node', deployment: { stop_grace_ms: 3 } }],
      bots: [{ ...crawler, template: 'node' }],
    });
    await registry.import(moved, { conflicts: 'replace' });
    expect(await registry.get('crawler')).toMatchObject({
      deployment: { command: 'node', stopGraceMs: 3 },
    });
    await registry.create({
      id: 'idler',
      role: 'worker',
      template: 'node',
      deployment: { command: 'x' },
    });
    const breaking = documentOf({ templates: [{ name: 'node', deployment: {} }] });
    await registry.import(breaking, { conflicts: 'replace' });
    expect(await registry.get('idler')).toMatchObject({ deployment: { stopGraceMs: 5_000 } });
    await registry.putTemplate({ name: 'node', deployment: { command: 'node' } });
    await registry.create({ id: 'leaner', role: 'worker', template: 'node' });
    await expect(registry.import(breaking, { conflicts: 'replace' })).rejects.toMatchObject({
      code: 'BOTS_TEMPLATE_BREAKS_BOT',
      botId: 'leaner',
    });
  });

  it('replaces an entry of the registry that cannot be read, when it is told to replace', async () => {
    const { registry, file, open } = await withCrawler();
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('"role":"worker"', '"role":"boss"'));
    const again = open();
    await expect(again.import(documentOf({ bots: [crawler] }))).rejects.toMatchObject({
      conflicts: ['bot crawler'],
    });
    await again.import(documentOf({ bots: [crawler] }), { conflicts: 'replace' });
    expect(await registry.all()).toMatchObject([{ id: 'crawler', role: 'worker' }]);
    expect(await again.problems()).toEqual([]);
  });

  it.each([
    ['{"format":"buddy-bots","version":2}', 'BOTS_TOO_NEW', 'version 2'],
    ['{"format":"buddy-bots-registry","version":1}', 'BOTS_DOCUMENT', 'buddy-bots export'],
    ['{"format":"buddy-bots",\n  "version":1,\n  oops}', 'BOTS_DOCUMENT', 'line 3, column 3'],
    ['', 'BOTS_DOCUMENT', 'empty'],
    ['[]', 'BOTS_DOCUMENT', 'all of it'],
    ['{"format":"buddy-bots","version":1,"robots":[]}', 'BOTS_DOCUMENT', 'robots'],
  ])('refuses %j, and says why', async (text, code, message) => {
    const { registry } = newWorld();
    await expect(registry.import(text, { source: 'bots.json' })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(new RegExp(`bots\\.json[^]*${message}`)),
    });
  });
});

const crawler = {
  id: 'crawler',
  role: 'worker',
  deployment: { command: 'node', restart: { intensity: 4 } },
} as const;
const mailer = { id: 'mailer', role: 'worker', deployment: { command: 'node' } } as const;

/** As it stands in a document. */
function waiting(id: string, ...dependsOn: string[]) {
  return { ...config(id), deployment: { command: 'node', depends_on: dependsOn } };
}

async function withCrawler() {
  const world = newWorld();
  await world.registry.create(crawler);
  return world;
}

function documentOf(entries: { templates?: unknown[]; bots?: unknown[] }): string {
  return JSON.stringify({ format: 'buddy-bots', version: 1, ...entries });
}

function names(entries: Awaited<ReturnType<BotRegistry['import']>>['added']): string[] {
  return entries.map(({ name }) => name);
}

const ids = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,8}[a-z0-9]$/);
const texts = fc.string({ minLength: 1, maxLength: 20, unit: 'binary' });

const configs: fc.Arbitrary<BotConfig> = fc.record(
  {
    id: ids,
    role: fc.constantFrom(...BotRole.options),
    template: fc.constant('base'),
    description: texts,
    tags: fc.array(texts),
    deployment: fc.record(
      {
        command: texts,
        args: fc.array(texts),
        env: fc.array(fc.stringMatching(/^[A-Z_]+$/)),
        stopGraceMs: fc.nat(),
        restart: fc.record({ jitter: fc.double({ min: 0, max: 1, noNaN: true }) }),
        liveness: fc.record({ kind: fc.constant('tcp' as const), port: fc.constant(80) }),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['id', 'role', 'template'] },
);
