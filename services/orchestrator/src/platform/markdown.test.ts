import { expect, test } from 'vitest'
import { markdownToHtml } from './markdown.ts'

test('headings get anchors, paragraphs join their lines, lists join theirs', () => {
  const html = markdownToHtml('# Big *words*\n\none\ntwo\n\n- a\n  more\n- b\n\n1. x\n2. y')
  expect(html).toBe(
    '<h1 id="big-words-">Big *words*</h1>\n<p>one two</p>\n<ul><li>a more</li><li>b</li></ul>\n<ol><li>x</li><li>y</li></ol>',
  )
})

test('code is shown as it is and nothing in it is read as Markdown', () => {
  expect(markdownToHtml('```json\n{"a": "<b>**x**"}\n```')).toBe(
    '<pre tabindex="0"><code>{&quot;a&quot;: &quot;&lt;b&gt;**x**&quot;}</code></pre>',
  )
  expect(markdownToHtml('see `**a** <i>`, **b**')).toBe(
    '<p>see <code>**a** &lt;i&gt;</code>, <strong>b</strong></p>',
  )
})

test('a table has a head and rows', () => {
  expect(markdownToHtml('| a | b |\n|---|---|\n| 1 | `x` |')).toBe(
    '<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td><code>x</code></td></tr></tbody></table>',
  )
})

test('HTML and links that run code stay text', () => {
  expect(markdownToHtml('<script>alert(1)</script> [x](javascript:alert(1))')).not.toMatch(/<script|<a /)
  expect(markdownToHtml('[x](/docs"onclick="y)')).not.toContain('"onclick=')
  expect(markdownToHtml('[x](/docs/errors/a)')).toBe('<p><a href="/docs/errors/a">x</a></p>')
})

test('a fence that is never closed ends with the text', () => {
  expect(markdownToHtml('```\na')).toBe('<pre tabindex="0"><code>a</code></pre>')
})
