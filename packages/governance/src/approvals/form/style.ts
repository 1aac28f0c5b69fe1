import { createHash } from 'node:crypto';

/** The whole style of all pages. No script, no font, no image: nothing is fetched. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #f6f7f9; --card: #ffffff; --ink: #16202c; --soft: #4d5a6a; --line: #d4dae2;
  --link: #0b57a4; --accent: #0b57a4; --on-accent: #ffffff;
  --good: #12683a; --good-paper: #e3f4ea; --bad: #a11d2b; --bad-paper: #fdeaec; --wait: #7a4b00; --wait-paper: #fff3d9;
  --mark: #ffd54a; --on-mark: #2b2100;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #10151c; --card: #19212b; --ink: #e8edf3; --soft: #a8b4c2; --line: #33404f;
    --link: #84bdff; --accent: #84bdff; --on-accent: #0b1622;
    --good: #86dcaa; --good-paper: #153526; --bad: #ff9aa5; --bad-paper: #421c22; --wait: #ffd27a; --wait-paper: #3b2c0d;
    --mark: #ffd54a; --on-mark: #2b2100;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .5rem 1rem; z-index: 1; }
header, main { max-width: 52rem; margin: 0 auto; padding: 1rem; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; justify-content: space-between; align-items: baseline; border-bottom: 1px solid var(--line); }
header a { font-weight: 600; text-decoration: none; }
header p { margin: 0; color: var(--soft); font-size: .9rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 1rem 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 0 0 .75rem; }
h3 { font-size: .95rem; margin: 1rem 0 .25rem; }
h1 code { font-size: 1.35rem; }
code, .value { font-family: ui-monospace, DejaVu Sans Mono, monospace; font-size: .92em; overflow-wrap: anywhere; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.25rem; margin: 1rem 0; }
section p:last-child { margin-bottom: 0; }
.lead { margin: 0 0 1rem; color: var(--soft); }
.soft { color: var(--soft); font-size: .9rem; }
.badge { display: inline-block; border-radius: 999px; padding: .1rem .65rem; font-size: .85rem; font-weight: 600; border: 1px solid currentColor; white-space: nowrap; }
.pending { color: var(--wait); background: var(--wait-paper); }
.approved, .consumed { color: var(--good); background: var(--good-paper); }
.denied, .expired, .cancelled, .invalidated { color: var(--bad); background: var(--bad-paper); }
.tabs { display: flex; flex-wrap: wrap; gap: .5rem 1rem; padding: 0; margin: 1rem 0; list-style: none; }
.tabs [aria-current] { color: var(--ink); font-weight: 700; text-decoration: none; border-bottom: 3px solid var(--accent); }
.requests { list-style: none; margin: 0; padding: 0; display: grid; gap: .75rem; }
.requests li { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .85rem 1.1rem; }
.requests a { font-weight: 600; overflow-wrap: anywhere; }
.requests p { margin: .25rem 0 0; display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: center; }
table { width: 100%; border-collapse: collapse; table-layout: fixed; }
th, td { text-align: left; vertical-align: top; padding: .5rem .75rem .5rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
thead th { border-top: 0; padding-top: 0; color: var(--soft); font-size: .85rem; font-weight: 600; }
thead th:first-child { width: 30%; }
th[scope=row] { font-weight: 600; }
.value { white-space: pre-wrap; margin-right: .35rem; }
.kind { color: var(--soft); font-size: .8rem; white-space: nowrap; }
.notes { display: block; color: var(--wait); font-size: .85rem; font-weight: 600; font-family: system-ui, sans-serif; white-space: normal; }
mark { background: var(--mark); color: var(--on-mark); border-radius: 3px; padding: 0 .15rem; font-weight: 700; }
.newline { color: var(--soft); }
.warning { color: var(--wait); }
blockquote { margin: 0; padding: .25rem 0 .25rem 1rem; border-left: 4px solid var(--line); }
dl { display: grid; grid-template-columns: 11rem 1fr; gap: .4rem 1rem; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
ol { margin: 0; padding-left: 1.25rem; }
label { display: block; font-weight: 600; margin-bottom: .25rem; }
textarea, input:not([type=hidden]) { width: 100%; font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--soft); border-radius: 6px; padding: .5rem; }
form[role=search] button { margin-top: .5rem; background: var(--card); color: var(--accent); }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0 .5rem; }
button { font: inherit; font-weight: 600; min-height: 2.75rem; min-width: 8rem; padding: .5rem 1.25rem; border-radius: 8px; cursor: pointer; border: 2px solid var(--accent); }
button[value=approve] { background: var(--accent); color: var(--on-accent); }
button[value=deny] { background: var(--card); color: var(--bad); border-color: var(--bad); }
@media (max-width: 36rem) {
  header, main { padding: .75rem; }
  section { padding: .85rem .9rem; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .6rem; }
  thead { position: absolute; left: -999rem; }
  tr { display: block; border-top: 1px solid var(--line); padding: .4rem 0; }
  th, td, th[scope=row] { display: block; width: auto; border: 0; padding: .1rem 0; }
  td[data-label]::before { content: attr(data-label); color: var(--soft); }
  .actions button { flex: 1; }
}
`;

/** What the content security policy lets through: this style, and no other. */
export const STYLE_HASH = `sha256-${createHash('sha256').update(STYLE).digest('base64')}`;
