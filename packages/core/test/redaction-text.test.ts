import { createRedactor, redactText } from '@buddy/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const body = 'abcdefghijklmnopqrstuvwxyz0123456789';
const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N';
const privateKey = [
  '-----BEGIN RSA PRIVATE KEY-----',
  'MIIEpAIBAAKC',
  'a1/b2+c3==',
  '-----END RSA PRIVATE KEY-----',
].join('\n');

describe('redaction of a text', () => {
  it.each([
    'password: required',
    'password: must not be empty',
    'Invalid password: is too short.',
    'client_secret: expired, ask for another',
    'authorization: missing',
    'Authorization: failed because the header is malformed',
  ])('leaves the error message alone: %s', (text) => {
    expect(redactText(text)).toBe(text);
  });

  it.each([
    `sk-${body}`,
    `sk-ant-api03-${body}`,
    `sk_live_${body}`,
    `ghp_${body}`,
    `github_pat_${body}`,
    `glpat-${body}`,
    `AKIA${body.slice(0, 16).toUpperCase()}`,
    `AIza${body}`,
    `xoxb-123456789012-${body}`,
    'pit-1d2c3b4a-aaaa-4bbb-8ccc-1234567890ab',
    `ya29.${body}`,
    `SG.${body}.${body}`,
    'aB3dE6fG9hJ2kL5mN8pQ1rS4tU7vW0xY', // nobody's format
  ])('takes out the API key %s', (key) => {
    expect(redactText(key)).toBe('[redacted:api-key]');
    expect(redactText(`used ${key}, failed`)).toBe('used [redacted:api-key], failed');
    expect(redactText(`https://example.com/${key}/x`)).toBe(
      'https://example.com/[redacted:api-key]/x',
    );
  });

  it.each([
    [`used ${jwt}.`, 'used [redacted:jwt].'],
    [`x-${jwt}`, '[redacted:jwt]'],
    ['Bearer mF_9.B5f-4.1JqM ok', 'Bearer [redacted:bearer-token] ok'], // RFC 6750
    ['Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==', 'Basic [redacted:basic-auth]'], // RFC 7617
    [
      'Authorization: Digest username="Mufasa", response="6629"',
      'Authorization: [redacted:authorization]',
    ],
    ['postgres://ada:hunter2@db:5432/x', 'postgres://ada:[redacted:password]@db:5432/x'],
    ['password == hunter2', 'password == [redacted:password]'],
    ["if (password === 'hunter2')", "if (password === '[redacted:password]')"],
    ['password=required', 'password=[redacted:password]'],
    ['password: invalid1', 'password: [redacted:password]'],
    ['password: must-not', 'password: [redacted:password]'],
    ['--password missing', '--password [redacted:password]'],
    [
      'AccountName=a;AccountKey=ab/c+d0ef==;EndpointSuffix=x',
      'AccountName=a;AccountKey=[redacted:api-key];EndpointSuffix=x',
    ],
    ['AccountKey=ab/c+d0ef== next', 'AccountKey=[redacted:api-key] next'],
    ['redis://:hunter2@db', 'redis://:[redacted:password]@db'],
    ['amqp://ada:hun/ter2@db/x', 'amqp://ada:[redacted:password]@db/x'],
    [
      `https://ghp_${body}:x-oauth-basic@github.com`,
      'https://[redacted:api-key]:[redacted:password]@github.com',
    ],
    [`key:\n${privateKey}\nnext`, 'key:\n[redacted:private-key]\nnext'],
    [privateKey.slice(0, 60), '[redacted:private-key]'], // cut off
    [JSON.stringify(privateKey), '"[redacted:private-key]"'],
    ['Cookie: a=1; b="2"; c=3\nHost: x', 'Cookie: [redacted:cookie]\nHost: x'],
    ['Set-Cookie: sid=abc; HttpOnly', 'Set-Cookie: [redacted:cookie]'],
    ["curl -H 'Cookie: a=1; b=2' x", "curl -H 'Cookie: [redacted:cookie]' x"],
    ['from 10.0.0.1:8080, 192.168.1.254.', 'from [redacted:ipv4]:8080, [redacted:ipv4].'],
    ['from ::1 and 2001:db8::8a2e:370:7334', 'from [redacted:ipv6] and [redacted:ipv6]'],
    [`a%20ghp_${body}`, 'a%20[redacted:api-key]'],
    [
      JSON.stringify(`a\nghp_${body}\n10.0.0.1`),
      String.raw`"a\n[redacted:api-key]\n[redacted:ipv4]"`,
    ],
    [`\u001B[31mghp_${body}\u001B[0m`, '\u001B[31m[redacted:api-key]\u001B[0m'],
    [`{"msg":"sent Cookie: a=b","x":1}`, `{"msg":"sent Cookie: [redacted:cookie]","x":1}`],
    [`Cookie: name=O'Brien; sid=x`, 'Cookie: [redacted:cookie]'],
    ['[2001:db8::1]:443 fe80::1%eth0', '[[redacted:ipv6]]:443 [redacted:ipv6]'],
    ['::ffff:10.0.0.1', '[redacted:ipv6]'],
    [
      'to https://hooks.slack.com/services/T0/B0/xyz "ok"',
      'to https://hooks.slack.com/services/[redacted:webhook] "ok"',
    ],
    [
      'https://discord.com/api/webhooks/1/abc?wait=1',
      'https://discord.com/api/webhooks/[redacted:webhook]',
    ],
  ])('turns %j into %j', (text, redacted) => {
    expect(redactText(text)).toBe(redacted);
  });

  it.each([
    ['password=hunter2&page=1', 'password=[redacted:password]&page=1'],
    ['DB_PASSWORD: hunter2, page: 1', 'DB_PASSWORD: [redacted:password], page: 1'],
    ['spring.datasource.password = hunter2', 'spring.datasource.password = [redacted:password]'],
    ["clientSecret: 'a b c' }", "clientSecret: '[redacted:secret]' }"],
    [':api_key => "a b"', ':api_key => "[redacted:api-key]"'],
    ['{"password":"hun\\"ter2","x":1}', '{"password":"[redacted:password]","x":1}'],
    ['{"password":"ends in \\\\","x":1}', '{"password":"[redacted:password]","x":1}'],
    [
      JSON.stringify('{"password":"hun\\"ter2","x":1}'),
      JSON.stringify('{"password":"[redacted:password]","x":1}'),
    ],
    [
      '{"tokens":3,"refresh_token":["a","b"],"x":1}',
      '{"tokens":3,"refresh_token":[redacted:token],"x":1}',
    ],
    ['{"credentials":{"a":"b"},"x":1}', '{"credentials":[redacted:secret],"x":1}'],
    ['passwords=abc&page=1', 'passwords=[redacted:password]&page=1'],
    ['authTokens: ["a","b"], x: 1', 'authTokens: [redacted:token], x: 1'],
    ['api_keys = a,b', 'api_keys = [redacted:api-key]'],
    ['tokens=1234567890123456', 'tokens=[redacted:token]'], // too long for a count
    ['login --password hunter2 --user ada', 'login --password [redacted:password] --user ada'],
    ['password="cut off he', 'password="[redacted:password]'],
    ['pw=hunter2', 'pw=[redacted:password]'],
    [
      'https://a.blob.core.windows.net/c/b?sv=2024&sig=ab%2Fcd%3D&se=2026',
      'https://a.blob.core.windows.net/c/b?sv=2024&sig=[redacted:secret]&se=2026',
    ],
    [
      '<user>ada</user><password>hunter 2</password><x/>',
      '<user>ada</user><password>[redacted:password]</password><x/>',
    ],
    ['curl -u ada:hunter2 https://x', 'curl -u ada:[redacted:password] https://x'],
    [`curl --user "ada:hun'ter 2" x`, 'curl --user "ada:[redacted:password]" x'],
    [`curl -u ghp_${body}:x-oauth x`, 'curl -u [redacted:api-key]:[redacted:password] x'],
    ['password%3Dhunter2%26page%3D1', 'password%3D[redacted:password]%26page%3D1'],
    [
      '%7B%22password%22%3A%20%22hun%26ter2%22%2C%22x%22%3A1%7D',
      '%7B%22password%22%3A%20%22[redacted:password]%22%2C%22x%22%3A1%7D',
    ],
    [
      'password: |-\n  hunter2\n  and 3\nuser: ada',
      'password: |-\n  [redacted:password]\nuser: ada',
    ],
  ])('takes the value out of %j', (text, redacted) => {
    expect(redactText(text)).toBe(redacted);
  });

  it.each([
    'version 1.2.3 of v1.2.3.4, OID 1.3.6.1.4.1, 999.1.1.1, node 26.10.0',
    'at 12:30:45, 2026-01-01T12:30:45.123Z, ratio 1:2:3, std::vector, 00:1b:44:11:3a:b7, dead::beef',
    '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    '3f2b6a0e-8c1d-4e5f-9a7b-0c1d2e3f4a5b, 01ARZ3NDEKTSV4RRFFQ69G5FAV, ocQHyuzHvysMo5N5VsXc',
    'createPhase21ExecutionHarnessForAgentManager, gohighlevel.contacts.upsert, task-sk-1',
    'the bearer of bad news, Basic authentication, Bearer authentication',
    'ssh://git@github.com/x, http://localhost:8080/@scope/x, mailto:ada@example.com',
    'max_tokens: 100, nextPageToken=abc, password: null, hasPassword: true, token::new',
    'Unexpected token: }, password reset, secret://vault',
    'login <token> now, docker run -u 1000:1000 x, curl -u ada x, discord.com/api/v10, 90%3D',
    'tokens: 42, input_tokens=1200, "total_tokens":"1,500", maxTokens: 4.1k',
    '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
    'naïve café: größe=3 – 日本語 🙂',
    '',
  ])('leaves %j alone', (text) => {
    expect(redactText(text)).toBe(text);
  });

  it('takes out e-mail addresses when asked to', () => {
    const { redactText: withEmail } = createRedactor({ email: true });
    expect(withEmail('<ada.l+x@mail.example.co.uk>, not @ada, ada@host or a@b.')).toBe(
      '<[redacted:email]>, not @ada, ada@host or a@b.',
    );
    expect(redactText('ada@example.com')).toBe('ada@example.com');
  });

  it('can leave addresses and unknown keys in, and take further names out', () => {
    const redactor = createRedactor({
      ipAddresses: false,
      genericKeys: false,
      keys: ['licence_no'],
    });
    const text = '10.0.0.1 ::1 aB3dE6fG9hJ2kL5mN8pQ1rS4tU7vW0xY';
    expect(redactor.redactText(text)).toBe(text);
    expect(redactor.redactText('Licence-No: 7')).toBe('Licence-No: [redacted:custom]');
  });

  it('refuses an option it does not know', () => {
    // @ts-expect-error: a misspelt option
    expect(() => createRedactor({ emails: true })).toThrow('emails');
  });
});

/** What makes scanners run for ever: each opens something and never ends it, or nearly matches, again and again. */
const ADVERSARIAL = String.raw`
a - 1. 1 : :: ::1 1: a: a@ @a. a@b :// a://b: a://b:c a://b:c/ http://a: a://b:[ x://a:b@ 1.1.1.1 tokens: tokens:1 [ { " \ \" token: token:[ token:{ token=" token:\ password= cookie: cookie:"
cookie:a=" token:" Bearer Basic eyJ eyJhbGciOiJI. sk- sk-sk_ SG. -----BEGIN -----BEGIN_PRIVATE_KEY ----- [redacted: aB1 _ghp a=
user a-eyJ %20 \n <token> <token></ token%3D token%3D+ token%22%3A%22 -u_a: -u_a:1 -u_"a:b token:_|~ hooks.slack.com/services/a --password --password_a Bearer_ Basic_a x_ _ a____ -----BEGIN_
`
  .trim()
  .split(/\s+/)
  .map((pattern) => pattern.replaceAll('_', ' ').replaceAll('~', '\n '));

/** Pieces of what secrets are made of, and of what surrounds them. */
const piece = fc.oneof(
  fc.constantFrom(
    ...'password token tokens Cookie Authorization api_key --secret user jwt custom'.split(' '),
    ...': = :\u0020 \u0020= => :// :: @ . , ; & - _ { } [ ] ( ) < / ? % + \\n %20 %3D'.split(' '),
    ...`" ' \` \\ \\" \\\\\\"`.split(' '),
    ...`eyJhbGciOiJI ${jwt} ghp_${body} sk- AKIA SG. ${body} QWxhZGRpbjpvcGVu`.split(' '),
    ...'-----BEGIN -----END 10.0.0.1 2001:db8::1 fe80 1 255 a null ada@example.com 日'.split(' '),
    ...'[redacted: [redacted:jwt] [redacted:password]'.split(' '),
    ' ',
    '\n',
    '\r\n',
    'Bearer ',
    'Basic ',
    ' PRIVATE KEY-----',
    '\uD83D',
    ...'<token> </token> %3A %22 -u ada: |- hooks.slack.com/services/ sig pw'.split(' '),
    '-u ada:',
    '|\n  ',
    '\u001B[31m',
  ),
  fc.string({ maxLength: 4 }),
);
const anyText = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));

describe('redaction of any text', () => {
  const redactors = [createRedactor(), createRedactor({ email: true, keys: ['user', 'a'] })];

  it('done twice is done once', () =>
    fc.assert(
      fc.property(anyText, fc.constantFrom(...redactors), (anything, redactor) => {
        const once = redactor.redactText(anything);
        expect(redactor.redactText(once)).toBe(once);
      }),
      { numRuns: 3_000 },
    ));

  it('never shows a known key, a token or a private key, whatever stands around it', () => {
    const secrets = [`ghp_${body.toUpperCase()}`, jwt.replace('.', '.eyJ'), privateKey];
    // A letter, digit, - or _ right before or behind would make it another word.
    const edge = fc.constantFrom(' ', '"', "'", '/', '(', ',', '=', '\n', '{', ':', '&', '日');
    fc.assert(
      fc.property(
        anyText,
        edge,
        fc.constantFrom(...secrets),
        edge,
        anyText,
        (before, left, secret, right, after) => {
          expect(redactText(before + left + secret + right + after)).not.toContain(secret);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('changes nothing but secrets: the pieces between the markers are in the text, in order', () =>
    fc.assert(
      fc.property(anyText, (anything) => {
        let from = 0;
        for (const kept of redactText(anything).split(/\[redacted:[a-z0-9-]+\]/)) {
          const at = anything.indexOf(kept, from);
          expect(at).toBeGreaterThanOrEqual(from);
          from = at + kept.length;
        }
      }),
      { numRuns: 500 },
    ));
});

describe('the work of redaction', () => {
  it.each(ADVERSARIAL)('doubles when a text of many %j doubles', (pattern) => {
    const small = work(pattern, 4_000);
    const large = work(pattern, 8_000);
    expect(large).toBeLessThan(2.2 * small);
    expect(large).toBeLessThan(8_000 * 400);
  });
});

/** How many characters are looked at in a text made of a pattern. A count, unlike a time, is the same on a busy machine. */
function work(pattern: string, length: number): number {
  const repeated = pattern.repeat(Math.ceil(length / pattern.length)).slice(0, length);
  const { redactText: redactWithEmail } = createRedactor({ email: true, keys: ['user'] });
  let reads = 0;
  const text: object = String.prototype;
  const restore = Object.entries(COSTS).map(([method, cost]) => {
    const original: (...args: unknown[]) => unknown = Reflect.get(text, method);
    Reflect.set(text, method, function counting(this: string, ...args: unknown[]) {
      const result = Reflect.apply(original, this, args);
      reads += cost(result, Number(args[1] ?? 0), this.length);
      return result;
    });
    return () => Reflect.set(text, method, original);
  });
  try {
    redactWithEmail(repeated);
    return reads;
  } finally {
    for (const undo of restore) undo();
  }
}

const COSTS: Record<string, (result: unknown, from: number, length: number) => number> = {
  charCodeAt: () => 1,
  charAt: () => 1,
  startsWith: () => 1,
  indexOf: (found, from, length) => (found === -1 ? length : Number(found)) - from,
  slice: (part) => String(part).length,
};
