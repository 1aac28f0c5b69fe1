import type { Person } from '../../roles/roles.ts';
import { type Markup, markup } from './markup.ts';
import { STYLE } from './style.ts';
import { strangeText } from './untrusted-text.ts';

export interface PageParts {
  title: string;
  base: string;
  person: Person | undefined;
  content: Markup;
}

/** One whole page. */
export function layout({ title, base, person, content }: PageParts): Markup {
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<a class="skip" href="#main">To the content</a>
<header>
<a href="${base}">Approvals</a>
${person && markup`<p>${strangeText(person.id, 100)}, ${person.role}</p>`}
</header>
<main id="main" tabindex="-1">
${content}
</main>
</body>
</html>
`;
}
