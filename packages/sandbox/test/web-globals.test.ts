import { webcrypto } from 'node:crypto';
import { createSandbox, type Sandbox } from '@buddy/sandbox';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await createSandbox({ isolation: 'session' });
});
afterAll(() => sandbox.close());

async function valueOf(code: string, input?: unknown): Promise<unknown> {
  const result = await sandbox.run(code, { input, seed: 1, now: Date.UTC(2026, 0, 2, 3, 4, 5) });
  if (result.status !== 'ok') throw new Error(result.toModelText());
  return result.value;
}

/** What the same code says here, in Node. */
function inNode(code: string, input?: unknown): unknown {
  // oxlint-disable-next-line typescript/no-implied-eval -- this is the oracle, and the code is this file's
  return new Function('input', `return (${code})`)(input);
}

describe('URL and URLSearchParams', () => {
  it.each([
    'new URL("../c?d=e#f", "https://u:p@a.example:8080/b/x").href',
    '(({ protocol, host, hostname, port, pathname, search, hash, origin, username, password }) => ({ protocol, host, hostname, port, pathname, search, hash, origin, username, password }))(new URL("https://u:p@bücher.example:8080/ä?q=1#z"))',
    'JSON.stringify({ at: new URL("https://a.example") })',
    '[URL.canParse("x"), URL.canParse("x", "https://a"), URL.parse("x"), `${URL.parse("/y", "https://a")}`]',
    '(() => { try { new URL("not a url") } catch (e) { return e.name } })()',
    '(() => { const url = new URL("https://a.example/?b=c"); url.searchParams.append("d", "e f&"); url.pathname = "/x y"; url.hash = "z"; url.port = "81"; return url.href })()',
    '(() => { const url = new URL("https://a.example/?b=c"); const params = url.searchParams; url.search = "?x=1"; const first = params.get("x"); url.href = "https://b.example/?y=2"; return [first, params.get("x"), params.get("y"), params === url.searchParams] })()',
    '(() => { const p = new URLSearchParams("?a=1&b=2&a=3&c"); p.set("a", "9"); p.delete("b", "0"); p.append("z", "ä +&"); p.sort(); return [p.toString(), p.size, p.getAll("a"), p.has("b", "2"), [...p.keys()], [...p.values()], p.get("nope")] })()',
    'Object.fromEntries(new URLSearchParams([["a", 1], ["b", 2]]))',
    'new URLSearchParams({ q: "one two", n: 3 }).toString()',
    '[...new URLSearchParams(new URLSearchParams("a=b"))]',
    '(() => { try { new URLSearchParams([["a"]]) } catch (e) { return e.name } })()',
    'Object.prototype.toString.call(new URL("https://a")) + new URLSearchParams()[Symbol.toStringTag]',
  ])('are what they are in Node: %s', async (code) => {
    expect(await valueOf(code)).toEqual(inNode(code));
  });
  it('read and write whatever text as Node does', async () => {
    const code =
      'input.map((text) => [new URLSearchParams(text).toString(), URL.parse(text, "https://a.example/b/c")?.href ?? null, new URLSearchParams([[text, text]]).toString()])';
    const texts = fc.array(
      fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl(), fc.webQueryParameters()),
      {
        maxLength: 30,
      },
    );
    await fc.assert(
      fc.asyncProperty(texts, async (input) => {
        expect(await valueOf(code, input)).toEqual(inNode(code, input));
      }),
      { numRuns: 20 },
    );
  });
  it('show as text in a log', async () => {
    const { logs } = await sandbox.run('console.log("at", new URL("https://a.example/b")); 1');
    expect(logs).toEqual([{ level: 'log', text: 'at https://a.example/b' }]);
  });
});

describe('TextEncoder and TextDecoder', () => {
  it.each([
    'Array.from(new TextEncoder().encode("hä€😀\\ud800"))',
    '(() => { const b = new Uint8Array(6); const r = new TextEncoder().encodeInto("a😀é", b); return [r.read, r.written, Array.from(b)] })()',
    'new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 0x68, 0xff, 0xc3, 0xa4]))',
    '(() => { const d = new TextDecoder(); return d.decode(new Uint8Array([0xe2, 0x82]), { stream: true }) + d.decode(new Uint8Array([0xac])) + d.decode() })()',
    'new TextDecoder("utf-16le").decode(new Uint16Array([104, 105]))',
    'new TextDecoder("latin1").decode(new Uint8Array([0x80, 0xe4]).buffer)',
    'new TextDecoder().decode(new DataView(new Uint8Array([97, 98, 99]).buffer, 1, 1))',
    '(({ encoding, fatal, ignoreBOM }) => [encoding, fatal, ignoreBOM])(new TextDecoder("UTF8", { fatal: true }))',
    '(() => { try { new TextDecoder("nope") } catch (e) { return e.name } })()',
    '(() => { try { new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([255])) } catch (e) { return e.name } })()',
    'new TextEncoder().encode("x").buffer.byteLength',
  ])('are what they are in Node: %s', async (code) => {
    expect(await valueOf(code)).toEqual(inNode(code));
  });
});

describe('AbortController and AbortSignal', () => {
  const story = `
    const told = [];
    const controller = new AbortController();
    const { signal } = controller;
    const any = AbortSignal.any([signal, new AbortController().signal]);
    signal.addEventListener('abort', (event) => told.push(event.type, event.target === signal));
    signal.addEventListener('abort', { handleEvent() { told.push('object') } }, { once: true });
    const gone = () => told.push('never');
    signal.addEventListener('abort', gone);
    signal.removeEventListener('abort', gone);
    signal.onabort = () => told.push('on');
    any.addEventListener('abort', () => told.push('any'));
    told.push(signal.aborted);
    controller.abort();
    controller.abort('again');
    told.push(signal.aborted, signal.reason.name, any.aborted, any.reason === signal.reason);
    try { signal.throwIfAborted() } catch (e) { told.push(e === signal.reason) }
    told.push(AbortSignal.abort('why').reason, AbortSignal.any([AbortSignal.abort(7)]).reason);
    try { new AbortSignal() } catch (e) { told.push(e.name) }`;

  it('tell who listens, once', async () => {
    const expected = inNode(`(() => { ${story}; return told })()`);
    expect(await valueOf(`${story}; told`)).toEqual(
      // The order of `onabort` among listeners is that of its first setting; here it is always first.
      [false, 'on', ...without(expected, 'on').slice(1)],
    );
  });
  it('end what waits too long', async () => {
    expect(
      await valueOf(
        'const signal = AbortSignal.timeout(5); await new Promise((done) => signal.addEventListener("abort", done)); signal.reason.name',
      ),
    ).toBe('TimeoutError');
  });
  it('make what a listener throws the failure of the program', async () => {
    expect(
      await sandbox.run(
        'const c = new AbortController(); c.signal.addEventListener("abort", () => { throw new Error("oops") }); c.abort(); await new Promise(() => {})',
      ),
    ).toMatchObject({ status: 'error', error: { message: 'oops', line: 1 } });
  });
});

function without(list: unknown, item: unknown): unknown[] {
  return Array.isArray(list) ? list.filter((each) => each !== item) : [];
}

describe('crypto', () => {
  it('draws from the seed of the run', async () => {
    const code =
      '[crypto.randomUUID(), [...crypto.getRandomValues(new Uint8Array(6))], Math.random()]';
    const first = await valueOf(code);
    expect(await valueOf(code)).toEqual(first);
    expect(first).toMatchObject([
      expect.stringMatching(
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      ),
      expect.any(Array),
      expect.any(Number),
    ]);
    const other = await sandbox.run(code, { seed: 2 });
    expect(Reflect.get(other, 'value')).not.toEqual(first);
  });
  it('fills what it is given, all of it and nothing else, as Node does', async () => {
    const code =
      'const all = new Uint8Array(64); const part = new Uint32Array(all.buffer, 16, 8); [crypto.getRandomValues(part) === part, all.slice(0, 16).every((b) => b === 0), all.slice(48).every((b) => b === 0), new Set(all.slice(16, 48)).size > 16]';
    expect(await valueOf(code)).toEqual([true, true, true, true]);
    for (const array of ['new Float64Array(1)', '[1]', 'new Uint8Array(65537)']) {
      const attempt = `crypto.getRandomValues(${array})`;
      expect(await sandbox.run(attempt)).toMatchObject({ status: 'error' });
      expect(() => webcrypto.getRandomValues(Object(inNode(array)))).toThrow(/./);
    }
  });
});

describe('Intl', () => {
  it('formats as in Node, and takes the time of the run where it is given none', async () => {
    const code =
      '[new Intl.NumberFormat("de-DE", { style: "currency", currency: "EUR" }).format(1234.5), new Intl.PluralRules("en").select(1), ["ä", "a", "z"].sort(new Intl.Collator("de").compare).join(""), new Intl.DateTimeFormat("en", { dateStyle: "long", timeZone: "UTC" }).format(0), new Intl.ListFormat("en").format(["a", "b"]), new Date(0).toLocaleDateString("en-GB", { timeZone: "UTC" })]';
    expect(await valueOf(code)).toEqual(inNode(code));
    expect(
      await valueOf(
        'const f = new Intl.DateTimeFormat("de", { dateStyle: "short", timeStyle: "medium" }); [f.format(), f.formatToParts().map((p) => p.value).join(""), [0].map(f.format)]',
      ),
    ).toEqual(['02.01.26, 03:04:05', '02.01.26, 03:04:05', ['01.01.70, 00:00:00']]);
  });
});

it('has the names that programs look for', async () => {
  const names = [
    'URL',
    'URLSearchParams',
    'TextEncoder',
    'TextDecoder',
    'AbortController',
    'AbortSignal',
  ];
  expect(await valueOf(`[${names.join(', ')}].map((each) => each.name)`)).toEqual(names);
});

it('lists what there is besides the language in the declarations', () => {
  const text = sandbox.declarations();
  for (const name of [
    'URL',
    'URLSearchParams',
    'TextEncoder',
    'TextDecoder',
    'AbortController',
    'AbortSignal',
    'crypto',
    'structuredClone',
    'setInterval',
    'Intl',
  ])
    expect(text).toMatch(new RegExp(`\\b${name}\\b`));
});
