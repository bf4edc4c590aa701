import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { emptyDraft, fieldsOf } from './form-model.ts'
import { SchemaForm } from './SchemaForm.tsx'

test('a form shows the fields of objects within objects', () => {
  const inner = { type: 'object', properties: { host: { type: 'string', title: 'Host name' } } }
  const outer = { type: 'object', title: 'Proxy', properties: { inner } }
  const fields = fieldsOf({ type: 'object', properties: { outer } })
  const draft = emptyDraft(fields)
  const html = renderToStaticMarkup(
    createElement(SchemaForm, { fields, draft, problems: {}, onChange: () => {} }),
  )
  expect(html.match(/<legend>/g)).toHaveLength(2)
  expect(html.match(/Host name/g)).toHaveLength(1)
})
