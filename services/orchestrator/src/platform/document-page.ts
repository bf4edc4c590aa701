import { createHash } from 'node:crypto'
import { escapeHtml } from './markdown.ts'

const style = `
:root{color-scheme:light dark;--text:#161616;--soft:#525252;--line:#e0e0e0;--back:#fff;--raised:#f4f4f4;--link:#0f62fe}
@media (prefers-color-scheme:dark){:root{--text:#f4f4f4;--soft:#c6c6c6;--line:#393939;--back:#161616;--raised:#262626;--link:#78a9ff}}
*{box-sizing:border-box}
html{scroll-padding-top:1rem}
body{margin:0;background:var(--back);color:var(--text);font:16px/1.5 'IBM Plex Sans',system-ui,sans-serif}
main,header{max-width:60rem;margin:0 auto;padding:1.5rem 1.25rem}
header{padding-bottom:0;color:var(--soft)}
h1{font-size:2rem;font-weight:400;line-height:1.2;margin:.5rem 0 1rem}
h2{font-size:1.375rem;font-weight:400;margin:2.5rem 0 .75rem;padding-top:1rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:2rem 0 .5rem}
h4{font-size:.875rem;margin:1rem 0 .25rem;color:var(--soft)}
a{color:var(--link)}
a:focus-visible,pre:focus-visible,summary:focus-visible{outline:2px solid var(--link);outline-offset:2px}
code,pre{font-family:'IBM Plex Mono',ui-monospace,monospace;font-size:.875em}
code{background:var(--raised);padding:.1em .3em}
pre{background:var(--raised);padding:1rem;overflow-x:auto}
pre code{padding:0;background:none}
table{border-collapse:collapse;width:100%;font-size:.875rem;display:block;overflow-x:auto}
th,td{text-align:left;vertical-align:top;padding:.5rem .75rem .5rem 0;border-bottom:1px solid var(--line)}
th{font-weight:600;color:var(--soft)}
nav ul{columns:16rem;padding-left:1.1rem}
summary{cursor:pointer;color:var(--link)}
.soft{color:var(--soft)}
.method{display:inline-block;min-width:4.5rem;font-weight:600}
`

/** No script at all, and only this very style: the page works under the strictest policy. */
export const documentPageHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-cache',
}

/** A page of documentation, light and dark. `mainHtml` is trusted: made here from escaped text. */
export function documentPage(page: { title: string; mainHtml: string; description?: string }): string {
  const description = page.description
    ? `<meta name="description" content="${escapeHtml(page.description)}">`
    : ''
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(page.title)}</title>${description}
<style>${style}</style>
</head>
<body>
<header><a href="/">Kyros</a> · <a href="/docs">API</a> · <a href="/openapi.json">OpenAPI</a></header>
<main>
${page.mainHtml}
</main>
</body>
</html>
`
}
