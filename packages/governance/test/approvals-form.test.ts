import { createHash } from 'node:crypto';
import { type ApprovalRequest, createApprovalForm, type Person } from '@buddy/governance';
import { describe, expect, it } from 'vitest';
import {
  ada,
  approving,
  bob,
  denying,
  openWorld,
  payment,
  SECRET,
  viewer,
} from './approvals/world.ts';

const ORIGIN = 'https://ops.example.com';
const URL_OF_LIST = `${ORIGIN}/approvals`;

function openForm() {
  const world = openWorld();
  let person: Person | undefined = ada;
  const form = createApprovalForm(
    { origin: ORIGIN },
    { approvals: world.approvals, secret: SECRET, clock: world.clock, identify: () => person },
  );
  const get = async (path = '', init: RequestInit = {}) =>
    form.fetch(new Request(`${URL_OF_LIST}${path}`, init));
  return {
    ...world,
    form,
    get,
    become: (other: Person | undefined) => {
      person = other;
    },
    tokenOf: async (id: string) => {
      const page = await (await get(`/${id}`)).text();
      return /name="token" value="([^"]+)"/.exec(page)?.[1] ?? '';
    },
    post: (
      id: string,
      fields: Record<string, string> | string,
      headers: Record<string, string> = {},
    ) =>
      form.fetch(
        new Request(`${URL_OF_LIST}/${id}`, {
          method: 'POST',
          body: new URLSearchParams(fields),
          headers: { origin: ORIGIN, 'sec-fetch-site': 'same-origin', ...headers },
        }),
      ),
  };
}

async function openRequest(request: ApprovalRequest = payment()) {
  const opened = openForm();
  const { approvalId } = await opened.file(request);
  return { ...opened, approvalId, token: await opened.tokenOf(approvalId) };
}

/** One for each request on the page. */
function badges(page: string): number {
  return page.match(/class="badge/g)?.length ?? 0;
}

describe('a vote by the form', () => {
  it('is taken with the token of the page, and leads back to the request', async () => {
    await using opened = await openRequest();
    const { approvalId, token, post, approvals } = opened;
    const response = await post(approvalId, { token, vote: 'approve', comment: '' });
    expect([response.status, response.headers.get('location')]).toEqual([
      303,
      `/approvals/${approvalId}`,
    ]);
    expect(approvals.get(approvalId)).toMatchObject({ state: 'approved', via: 'form' });
  });

  it.each([
    ['no token', (token: string) => ({ vote: 'approve', was: token }), 400],
    ['an empty token', () => ({ vote: 'approve', token: '' }), 400],
    ['a made-up token', () => ({ vote: 'approve', token: '9999999999999.AAAA' }), 403],
    [
      'a token without an end',
      (token: string) => ({ vote: 'approve', token: token.split('.')[1] ?? '' }),
      403,
    ],
    [
      'a token that was made to last',
      (token: string) => ({ vote: 'approve', token: `9${token}` }),
      403,
    ],
    ['no vote', (token: string) => ({ token }), 400],
    ['a vote that there is not', (token: string) => ({ token, vote: 'APPROVE' }), 400],
    [
      'fields that the form does not have',
      (token: string) => ({ token, vote: 'approve', by: 'root' }),
      400,
    ],
    [
      'a comment that is too long',
      (token: string) => ({ token, vote: 'approve', comment: 'x'.repeat(501) }),
      400,
    ],
    [
      'far too much',
      (token: string) => ({ token, vote: 'approve', comment: 'x'.repeat(20_000) }),
      413,
    ],
  ])('is not taken with %s', async (_what, fields, status) => {
    await using opened = await openRequest();
    const { approvalId, token, post, approvals } = opened;
    expect((await post(approvalId, fields(token))).status).toBe(status);
    expect(approvals.get(approvalId)).toMatchObject({ state: 'pending', votes: [] });
  });

  it('is not taken with a field twice', async () => {
    await using opened = await openRequest();
    const { approvalId, token, post, approvals } = opened;
    const response = await post(approvalId, `token=${token}&vote=deny&vote=approve`);
    expect(response.status).toBe(400);
    expect(approvals.get(approvalId)?.state).toBe('pending');
  });

  it.each([
    ['of another site', { origin: 'https://evil.example' }],
    ['of a page that hides where it is from', { origin: 'null' }],
    ['that a browser calls cross-site', { 'sec-fetch-site': 'cross-site' }],
    [
      'that a browser calls same-site, for a neighbour is a stranger',
      { 'sec-fetch-site': 'same-site' },
    ],
    ['that looks like this one', { origin: `${ORIGIN}.evil.example` }],
    ['of this host without encryption', { origin: 'http://ops.example.com' }],
  ])('is not taken from a page %s', async (_where, headers) => {
    await using opened = await openRequest();
    const { approvalId, token, post, approvals } = opened;
    expect((await post(approvalId, { token, vote: 'approve' }, headers)).status).toBe(403);
    expect(approvals.get(approvalId)?.state).toBe('pending');
  });

  it('is not taken from a client that says nothing of where it is from', async () => {
    await using opened = await openRequest();
    const { approvalId, token, form, approvals } = opened;
    const body = new URLSearchParams({ token, vote: 'approve' });
    const response = await form.fetch(
      new Request(`${URL_OF_LIST}/${approvalId}`, { method: 'POST', body }),
    );
    expect(response.status).toBe(403);
    expect(approvals.get(approvalId)?.state).toBe('pending');
  });

  it('is not taken with the token of another person, of another request, or of another role', async () => {
    await using opened = await openRequest();
    const { approvalId, token, post, approvals, file, become } = opened;
    const other = await file(payment({ idempotencyKey: 'task-2' }));
    expect((await post(other.approvalId, { token, vote: 'approve' })).status).toBe(403);
    become(bob);
    expect((await post(approvalId, { token, vote: 'approve' })).status).toBe(403);
    become({ id: 'ada', role: 'admin' });
    expect((await post(approvalId, { token, vote: 'approve' })).status).toBe(403);
    expect(approvals.list({ states: ['pending'] }).approvals).toHaveLength(2);
  });

  it('is not taken an hour after the page was opened', async () => {
    await using opened = await openRequest(
      payment({ demand: { ...payment().demand, expiresMs: 86_400_000 } }),
    );
    const { approvalId, token, post, approvals, clock } = opened;
    await clock.advance(3_600_000);
    const response = await post(approvalId, { token, vote: 'approve' });
    expect(response.status).toBe(403);
    expect(await response.text()).toContain('open for too long');
    expect(approvals.get(approvalId)?.state).toBe('pending');
  });

  it('is not taken twice, nor on what was decided meanwhile', async () => {
    await using opened = await openRequest();
    const { approvalId, token, post, approvals } = opened;
    await approvals.vote(approvalId, denying(bob));
    const response = await post(approvalId, { token, vote: 'approve' });
    expect(response.status).toBe(409);
    expect(await response.text()).toContain('This request is denied');
  });

  it('is not taken on a request that somebody changed in the database', async () => {
    await using opened = await openRequest();
    const { approvalId, token, post, approvals, ledger } = opened;
    await ledger.write(({ database }) => database.exec('UPDATE approvals SET mac = NULL'));
    const response = await post(approvalId, { token, vote: 'approve' });
    expect(response.status).toBe(409);
    expect(await response.text()).toContain('does not stand as it was written');
    expect(approvals.get(approvalId)?.state).toBe('invalidated');
  });

  it('is not taken from who may look only, or asked for it himself', async () => {
    await using opened = await openRequest(payment({ actor: { kind: 'human', id: 'bob' } }));
    const { approvalId, post, become, get } = opened;
    for (const person of [viewer, bob]) {
      become(person);
      const page = await (await get(`/${approvalId}`)).text();
      expect(page).not.toContain('<button');
      expect(page).not.toContain('name="token"');
      expect((await post(approvalId, { token: '1.x', vote: 'approve' })).status).toBe(403);
    }
  });

  it('is never taken by a GET, and by no other method', async () => {
    await using opened = await openRequest();
    const { approvalId, token, get, approvals } = opened;
    await get(`/${approvalId}?vote=approve&token=${token}`);
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      const response = await get(`/${approvalId}`, { method });
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
    }
    expect((await get('', { method: 'POST' })).status).toBe(405);
    expect(approvals.get(approvalId)?.state).toBe('pending');
  });

  it('is not taken as JSON', async () => {
    await using opened = await openRequest();
    const { approvalId, token, post, approvals } = opened;
    const response = await post(
      approvalId,
      { token, vote: 'approve' },
      { 'content-type': 'text/plain' },
    );
    expect(response.status).toBe(415);
    expect(approvals.get(approvalId)?.state).toBe('pending');
  });
});

describe('the pages of the form', () => {
  it('run no script, fetch nothing, are kept nowhere and framed by nobody', async () => {
    await using opened = await openRequest();
    const { approvalId, get } = opened;
    for (const path of ['', `/${approvalId}`, '/approval-99']) {
      const response = await get(path);
      const page = await response.text();
      const style = /<style>([^]*)<\/style>/.exec(page)?.[1] ?? '';
      const hash = createHash('sha256').update(style).digest('base64');
      expect(response.headers.get('content-security-policy')).toBe(
        `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
      );
      expect(response.headers.get('x-frame-options')).toBe('DENY');
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(page).not.toMatch(/<script|\son\w+=|\sstyle=|javascript:/i);
    }
  });

  it('show all that an agent writes as text, wherever it stands', async () => {
    const evil = `"><script>alert(1)</script>'&lt;`;
    await using opened = await openRequest(
      payment({
        action: evil,
        actor: { kind: 'agent', id: evil, onBehalfOf: evil },
        rule: evil,
        runId: evil,
        taskId: evil,
        rationale: evil,
        input: { [evil]: evil, list: [evil] },
      }),
    );
    const { approvalId, get } = opened;
    for (const path of ['', `/${approvalId}`]) {
      const page = await (await get(path)).text();
      expect(page).not.toContain('<script');
      expect(page).toContain('&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#39;&amp;lt;');
    }
  });

  it('mark every character that hides or reorders', async () => {
    const hidden = [
      '\u202E',
      '\u2066',
      '\u200B',
      '\uFEFF',
      '\u00AD',
      '\u0000',
      '\u001B',
      '\u{E0041}',
    ];
    await using opened = await openRequest(payment({ input: { to: `a${hidden.join('b')}c` } }));
    const page = await (await opened.get(`/${opened.approvalId}`)).text();
    for (const character of hidden) expect(page).not.toContain(character);
    expect(page.match(/<mark>⟦U\+[0-9A-F]+⟧<\/mark>/g)).toHaveLength(hidden.length);
  });

  it('bound long values, and say how much is not shown', async () => {
    const input = {
      long: 'x'.repeat(5_000),
      lines: 'y\n'.repeat(500),
      many: Array.from({ length: 500 }, (_, n) => n),
    };
    await using opened = await openRequest(payment({ input }));
    const page = await (await opened.get(`/${opened.approvalId}`)).text();
    expect(page).toContain('… 3000 more characters are not shown');
    expect(page).toContain('… 881 more characters are not shown');
    expect(page).toContain('302 more values are not shown');
    expect(page.length).toBeLessThan(100_000);
  });

  it('tell a text from a number, and nothing from the word', async () => {
    await using opened = await openRequest(
      payment({ input: { a: '40', b: 40, c: null, d: 'null', e: '', f: [], g: {}, 'h.i': true } }),
    );
    const page = await (await opened.get(`/${opened.approvalId}`)).text();
    const kinds = [
      ...page.matchAll(
        /<th scope="row"><code><bdi>(.*?)<\/bdi>.*?<span class="kind">(.*?)<\/span>/g,
      ),
    ];
    expect(kinds.map(([, path, kind]) => `${path}: ${kind}`)).toEqual([
      'a: text',
      'b: number',
      'c: nothing',
      'd: text',
      'e: empty text',
      'f: empty list',
      'g: empty object',
      '&quot;h.i&quot;: yes or no',
    ]);
  });

  it('ask who somebody is first, and show nothing to nobody', async () => {
    await using opened = await openRequest();
    opened.become(undefined);
    for (const path of ['', `/${opened.approvalId}`]) {
      const response = await opened.get(path);
      expect(response.status).toBe(401);
      expect(await response.text()).not.toContain('payments');
    }
  });

  it('show people without a say their own requests only, and no arguments to viewers', async () => {
    await using opened = openForm();
    const { file, get, become } = opened;
    const own = await file(payment({ actor: { kind: 'agent', id: 'agent-7', onBehalfOf: 'ute' } }));
    const foreign = await file(payment({ idempotencyKey: 'task-2' }));
    become({ id: 'UTE', role: 'user' });
    const list = await (await get()).text();
    expect(list).toContain(own.approvalId);
    expect(list).not.toContain(foreign.approvalId);
    expect((await get(`/${foreign.approvalId}`)).status).toBe(404);
    expect(await (await get(`/${own.approvalId}`)).text()).toContain('carol@example.com');
    become(viewer);
    expect(await (await get(`/${own.approvalId}`)).text()).not.toContain('carol@example.com');
  });

  it('are not served under another name', async () => {
    await using opened = await openRequest();
    const response = await opened.form.fetch(new Request('https://rebound.example/approvals'));
    expect(response.status).toBe(421);
    expect(await response.text()).not.toContain('payments');
  });

  it('lead from page to page, and say of each error what to do', async () => {
    await using opened = openForm();
    const { file, get, approvals } = opened;
    for (let n = 0; n < 51; n += 1) await file(payment({ idempotencyKey: `task-${n}` }));
    const first = await (await get()).text();
    const next = /href="\/approvals(\?after=\d+)"/.exec(first)?.[1] ?? '';
    const second = await (await get(next)).text();
    expect(second).toContain('<a href="/approvals">Newest requests</a>');
    expect(second.match(/class="badge/g)).toHaveLength(1);
    await approvals.vote('approval-1', approving(ada));
    expect(await (await get('?show=all')).text()).toContain('Older requests');
    for (const [path, status] of [
      ['?after=x', 400],
      ['/nothing', 404],
      ['/%E0%A4%A', 404],
      ['/a/b', 404],
      ['x', 404],
    ] as const) {
      const response = await get(path);
      expect(response.status).toBe(status);
      expect(await response.text()).toMatch(/<h1>[^<]+<\/h1>\n<p>[^<]+<\/p>/);
    }
  });

  it('show the requests of some actions only, page by page, and how many there are of each', async () => {
    await using opened = openForm();
    const { file, get } = opened;
    const evil = 'x"><script>.y';
    for (let n = 0; n < 60; n += 1) {
      const action = n === 0 ? evil : n < 8 ? 'crm.contacts.delete' : 'mail.send';
      await file(payment({ idempotencyKey: `task-${n}`, action }));
    }
    const all = await (await get()).text();
    expect(all).toContain('href="/approvals?action=mail.send"><bdi>mail.send</bdi></a> 52');
    expect(all).not.toContain('<script>');
    const mails = await (await get('?action=mail.*')).text();
    expect(mails).toContain('value="mail.*"');
    expect(badges(mails)).toBe(50);
    const next = /href="\/approvals(\?action=mail\.\*&amp;after=\d+)"/.exec(mails)?.[1] ?? '';
    expect(badges(await (await get(next.replace('&amp;', '&'))).text())).toBe(2);
    expect(badges(await (await get('?action=crm.**&show=all')).text())).toBe(7);
    expect(badges(await (await get(`?action=${encodeURIComponent(evil)}`)).text())).toBe(1);
    expect(await (await get('?action=none')).text()).toContain(
      'Nothing here is for such an action.',
    );
    expect((await get(`?action=${'x'.repeat(257)}`)).status).toBe(400);
  });

  it('say that they failed when they failed, and no more', async () => {
    await using opened = openForm();
    const form = createApprovalForm(
      { origin: ORIGIN },
      {
        approvals: opened.approvals,
        secret: SECRET,
        identify: () => Promise.reject(new Error('the password is hunter2')),
      },
    );
    const response = await form.fetch(new Request(URL_OF_LIST));
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('hunter2');
  });
});
