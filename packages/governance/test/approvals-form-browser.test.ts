import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createApprovalForm, type Person } from '@buddy/governance';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBrowser, serve } from './approvals/serving.ts';
import { ada, bob, demanding, openWorld, payment, SECRET, viewer } from './approvals/world.ts';

const executablePath = findBrowser();
if (executablePath === undefined) {
  console.warn(
    'NOT TESTED: the approval form in a real browser, for there is none here. `apt-get install -y chromium`, or set BUDDY_CHROMIUM.',
  );
}

/** Where to put pictures of the pages, for people to look at. Default: nowhere. */
const PICTURES = process.env['BUDDY_FORM_PICTURES'];

const STRANGE = payment({
  input: {
    to: 'carol\u202Emoc.elpmaxe@live',
    amount: 4_000,
    currency: 'EUR',
    note: 'Dear Carol,\n<img src=x onerror="document.title=1"><script>document.title = 2</script>',
    attachment: '../../etc/passwd',
    lines: [
      { item: 'chair', price: 1_999.5 },
      { item: 'table', price: 2_000.5 },
    ],
    password: 'hunter2',
    urgent: true,
    reference: null,
  },
  rationale: 'The parcel never came\u200B, and the customer </blockquote> is angry',
  demand: demanding({ quorum: 2 }),
});

describe.skipIf(executablePath === undefined)('the approval form, in a real browser', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await chromium.launch({
      ...(executablePath !== undefined && { executablePath }),
      args: ['--no-sandbox'],
    });
  });
  afterAll(() => browser.close());

  async function openForm(options: BrowserContextOptions = {}) {
    const world = openWorld();
    let person: Person | undefined = ada;
    const server = await serve((origin) => {
      const form = createApprovalForm(
        { origin },
        {
          approvals: world.approvals,
          secret: SECRET,
          clock: world.clock,
          identify: () => person,
        },
      );
      return (request) => form.fetch(request);
    });
    const context = await browser.newContext({
      viewport: { width: 1_280, height: 900 },
      ...options,
    });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    return {
      ...world,
      page,
      context,
      complaints,
      url: `${server.origin}/approvals`,
      become: (other: Person | undefined) => {
        person = other;
      },
      [Symbol.asyncDispose]: async () => {
        await context.close();
        await server[Symbol.asyncDispose]();
        await world[Symbol.asyncDispose]();
      },
    };
  }

  it('leads from the list to a request, and takes the votes of two people, without JavaScript', async () => {
    await using opened = await openForm({ javaScriptEnabled: false });
    const { page, approvals, file, url, become } = opened;
    const { approvalId } = await file(STRANGE);
    await page.goto(url);
    await page.getByRole('link', { name: 'payments.refund' }).click();
    await page.getByLabel('Comment').fill('Checked with the warehouse');
    await page.getByRole('button', { name: 'Approve' }).click();
    expect(await page.getByText('1 of 2 people have agreed').count()).toBe(1);
    expect(approvals.get(approvalId)).toMatchObject({
      state: 'pending',
      votes: [{ by: ada, vote: 'approve', via: 'form', comment: 'Checked with the warehouse' }],
    });
    become(bob);
    await page.goto(`${url}/${approvalId}`);
    await page.getByRole('button', { name: 'Approve' }).click();
    expect(approvals.get(approvalId)?.state).toBe('approved');
    expect(await page.locator('.badge').first().textContent()).toBe('approved');
  });

  it('denies, and says so', async () => {
    await using opened = await openForm();
    const { page, approvals, file, url } = opened;
    const { approvalId } = await file(STRANGE);
    await page.goto(`${url}/${approvalId}`);
    await page.getByRole('button', { name: 'Deny' }).click();
    expect(approvals.get(approvalId)?.state).toBe('denied');
    expect(await page.locator('.badge').first().textContent()).toBe('denied');
    expect(await page.getByText('Erased: this request has ended.').count()).toBe(1);
    expect(await page.getByRole('button').count()).toBe(0);
  });

  it('shows what hides, runs nothing of it, and keeps secrets to itself', async () => {
    await using opened = await openForm();
    const { page, file, url, complaints } = opened;
    const { approvalId } = await file(STRANGE);
    await page.goto(`${url}/${approvalId}`);
    expect(await page.title()).toContain(approvalId);
    expect(await page.locator('mark').allTextContents()).toEqual(['⟦U+202E⟧', '⟦U+200B⟧']);
    expect(await page.locator('img, script, iframe').count()).toBe(0);
    const text = await page.locator('main').innerText();
    expect(text).toContain('<script>document.title = 2</script>');
    expect(text).toContain('</blockquote> is angry');
    expect(text).toContain('Leads out of a folder');
    expect(text).toContain('lines[1].price');
    expect(text).not.toContain('hunter2');
    expect(complaints).toEqual([]); // of the content security policy, for one
  });

  it('says what changed when a request took the place of another', async () => {
    await using opened = await openForm();
    const { page, file, url } = opened;
    await file(payment());
    const { approvalId } = await file(
      payment({ input: { to: 'carol@example.com', amount: 4_000, currency: 'EUR' } }),
    );
    await page.goto(`${url}/${approvalId}`);
    const changes = page.getByRole('region', { name: /Changed since/ });
    expect(await changes.getByRole('row').nth(1).innerText()).toMatch(
      /amount\s+40 number\s+4000 number/,
    );
    expect(await changes.getByRole('row').count()).toBe(2);
  });

  it('does not let another site vote, be it logged in or not', async () => {
    await using opened = await openForm();
    const { page, file, url, approvals } = opened;
    const { approvalId } = await file(payment());
    await using elsewhere = await serve(
      () => async () =>
        new Response(
          `<form method="post" action="${url}/${approvalId}"><input name="vote" value="approve"><input name="token" value="1.x"><button>Win</button></form>`,
          { headers: { 'content-type': 'text/html' } },
        ),
    );
    await page.goto(elsewhere.origin);
    await page.getByRole('button', { name: 'Win' }).click();
    expect(await page.getByRole('heading').first().textContent()).toBe(
      'This did not come from this page',
    );
    expect(approvals.get(approvalId)?.state).toBe('pending');
  });

  it('cannot be put in the frame of another site', async () => {
    await using opened = await openForm();
    const { page, file, url } = opened;
    const { approvalId } = await file(payment());
    await using elsewhere = await serve(
      () => async () =>
        new Response(`<iframe src="${url}/${approvalId}"></iframe>`, {
          headers: { 'content-type': 'text/html' },
        }),
    );
    await page.goto(elsewhere.origin);
    await page.waitForLoadState('networkidle');
    const framed = page.frames().find((frame) => frame !== page.mainFrame());
    expect(await framed?.getByRole('button').count()).toBe(0);
  });

  it.each([
    ['light', 1_280],
    ['dark', 1_280],
    ['light', 390],
    ['dark', 390],
  ] as const)('can be read and used, %s and %i points wide', async (colorScheme, width) => {
    await using opened = await openForm({ colorScheme, viewport: { width, height: 844 } });
    const { page, file, url, clock, become } = opened;
    for (let n = 1; n < 4; n += 1) await file(payment({ idempotencyKey: `early-${n}` }));
    await clock.advance(240_000);
    const { approvalId } = await file(STRANGE);
    for (const [name, path] of [
      ['list', ''],
      ['detail', `/${approvalId}`],
      ['missing', '/approval-99'],
    ] as const) {
      await page.goto(`${url}${path}`);
      expect({ name, found: await audit(page) }).toEqual({ name, found: [] });
      await picture(page, `${name}-${colorScheme}-${width}`);
    }
    become(viewer);
    await page.goto(`${url}/${approvalId}`);
    expect(await page.getByText('Your role does not see arguments.').count()).toBe(1);
    expect(await page.getByRole('button').count()).toBe(0);
  });

  it('is walked through by keyboard: to the content, the comment, deny, then approve', async () => {
    await using opened = await openForm();
    const { page, file, url } = opened;
    const { approvalId } = await file(payment());
    await page.goto(`${url}/${approvalId}`);
    const walked: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      await page.keyboard.press('Tab');
      walked.push(
        await page.evaluate<string>(
          'document.activeElement.innerText || document.activeElement.id',
        ),
      );
    }
    expect(walked).toEqual(['To the content', 'Approvals', 'comment', 'Deny', 'Approve']);
  });
});

async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES === undefined) return;
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
}

/** What a machine can tell of how a page can be read: landmarks, names, order of headings, contrast (WCAG 2.2 AA), width. */
function audit(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`(() => {
    const found = [];
    if (document.documentElement.lang !== 'en') found.push('no language');
    for (const mark of ['main', 'header', 'h1']) {
      if (document.querySelectorAll(mark).length !== 1) found.push('not one ' + mark);
    }
    if (document.documentElement.scrollWidth > innerWidth) found.push('wider than the window');
    const ids = [...document.querySelectorAll('[id]')].map((node) => node.id);
    if (new Set(ids).size !== ids.length) found.push('an id twice');
    for (const field of document.querySelectorAll('textarea, input:not([type=hidden])')) {
      if (!field.labels?.length) found.push('no label: ' + field.name);
    }
    for (const named of document.querySelectorAll('[aria-labelledby], [aria-describedby]')) {
      const id = named.getAttribute('aria-labelledby') ?? named.getAttribute('aria-describedby');
      if (!document.getElementById(id)) found.push('names nothing: ' + id);
    }
    let level = 0;
    for (const heading of document.querySelectorAll('h1, h2, h3')) {
      const next = Number(heading.tagName[1]);
      if (next > level + 1) found.push('skips a heading: ' + heading.innerText);
      level = next;
    }
    for (const target of document.querySelectorAll('button')) {
      const { width, height } = target.getBoundingClientRect();
      if (width < 44 || height < 44) found.push('too small: ' + target.innerText);
    }
    const channels = (color) => color.match(/[\\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => {
      const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
      return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const paper = (node) => {
      for (let at = node; at; at = at.parentElement) {
        const color = channels(getComputedStyle(at).backgroundColor);
        if (color[3] !== 0) return color;
      }
      return [255, 255, 255];
    };
    for (const node of document.querySelectorAll('body *')) {
      const hasText = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
      if (!hasText || node.closest('.skip')) continue;
      const [a, b] = [luminance(channels(getComputedStyle(node).color)), luminance(paper(node))];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (ratio < 4.5) found.push('contrast ' + ratio.toFixed(2) + ': ' + node.textContent.slice(0, 40));
    }
    return found;
  })()`);
}
