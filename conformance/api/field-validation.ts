/** What the server says of fields it does not know or finds twice: of objects that are created, and of those applied. */
import assert from 'node:assert/strict'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'
import { type CustomKind, establish, widgetKind } from '../runner/fixtures.ts'

interface Write {
  /** How the object gets to the server. */
  by: 'create' | 'apply'
  /** JSON: a body in which a field comes twice is no object. */
  body: string
  name: string
}

interface Refusal {
  status: number
  message: string
}

/** Writes with `fieldValidation=Strict` to a collection. */
async function strictly(t: CaseContext, collection: string, { by, body, name }: Write): Promise<Refusal> {
  const { status, text } =
    by === 'create'
      ? await t.http({ method: 'POST', path: `${collection}?fieldValidation=Strict`, body })
      : await t.http({
          method: 'PATCH',
          path: `${collection}/${name}?fieldValidation=Strict&fieldManager=suite`,
          body,
          headers: { 'content-type': 'application/apply-patch+yaml' },
        })
  return { status, message: (JSON.parse(text) as { message?: string }).message ?? '' }
}

async function widgetsOf(t: CaseContext, kind: CustomKind): Promise<string> {
  await establish(t, kind)
  return `/apis/${kind.group}/v1/namespaces/${await t.namespace()}/widgets`
}

/** A kind of which any field is kept, with an object inside it. */
function freeKind(t: CaseContext): CustomKind {
  const kind = widgetKind(t)
  const [version] = kind.definition.spec.versions as [{ schema: object }]
  version.schema = {
    openAPIV3Schema: {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: {
        template: {
          type: 'object',
          'x-kubernetes-embedded-resource': true,
          'x-kubernetes-preserve-unknown-fields': true,
        },
      },
    },
  }
  return kind
}

const widgetText = ({ group }: CustomKind, name: string, rest: string, metadata = '') =>
  `{"apiVersion":"${group}/v1","kind":"Widget","metadata":{"name":"${name}"${metadata}},${rest}}`

const deploymentText = (name: string, fields: string, metadata = '') =>
  `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"${name}","labels":{"app":"web"}${metadata}},
    "spec":{${fields}"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},
    "spec":{"containers":[{"name":"main","image":"example.com/app:1"}]}}}}`

const ways = ['create', 'apply'] as const

export const cases = ways.flatMap((by) => [
  defineCase({
    name: `field validation by ${by}: unknown and repeated fields of a built-in kind are told`,
    stands: 'FieldValidation should detect unknown and duplicate fields of a typed object',
    async run(t) {
      const path = `/apis/apps/v1/namespaces/${await t.namespace()}/deployments`
      const body = deploymentText('one', '"unknownField":"x","paused":true,"paused":false,"replicas":0,')
      const { status, message } = await strictly(t, path, { by, name: 'one', body })
      if (by === 'create') {
        assert.equal(status, 400)
        assert.match(message, /strict decoding error: /)
        assert.match(message, /unknown field "spec\.unknownField"/)
        assert.match(message, /duplicate field "spec\.paused"/)
      } else {
        // An apply is read as a whole: what comes twice is an error before what is unknown is looked for.
        assert.ok(status === 400 || status === 500, String(status))
        assert.match(message, /already set|duplicate field|unknownField/)
      }
    },
  }),
  defineCase({
    name: `field validation by ${by}: unknown fields of the metadata are told`,
    stands: 'FieldValidation should detect unknown metadata fields of a typed object',
    async run(t) {
      const path = `/apis/apps/v1/namespaces/${await t.namespace()}/deployments`
      const body = deploymentText('one', '"replicas":0,', ',"unknownMeta":"x"')
      const { status, message } = await strictly(t, path, { by, name: 'one', body })
      assert.ok(status >= 400, String(status))
      assert.match(message, by === 'create' ? /unknown field "metadata\.unknownMeta"/ : /unknownMeta/)
    },
  }),
  defineCase({
    name: `field validation by ${by}: a custom kind without fields takes any`,
    stands: 'FieldValidation should create/apply a CR with unknown fields for CRD with no validation schema',
    async run(t) {
      const kind = freeKind(t)
      const path = await widgetsOf(t, kind)
      const body = widgetText(kind, 'one', '"spec":{"foo":"bar","nested":{"any":[1]}}')
      assert.equal((await strictly(t, path, { by, name: 'one', body })).status, 201)
    },
  }),
  defineCase({
    name: `field validation by ${by}: a custom kind takes an object of its schema`,
    stands: 'FieldValidation should create/apply a valid CR for CRD with validation schema',
    async run(t) {
      const kind = widgetKind(t)
      const path = await widgetsOf(t, kind)
      const body = widgetText(kind, 'one', '"spec":{"size":3,"colour":"green"}')
      assert.equal((await strictly(t, path, { by, name: 'one', body })).status, 201)
    },
  }),
  defineCase({
    name: `field validation by ${by}: a custom kind takes no field beyond its schema`,
    stands: 'FieldValidation should create/apply an invalid CR with extra properties for CRD with validation schema',
    async run(t) {
      const kind = widgetKind(t)
      const path = await widgetsOf(t, kind)
      const body = widgetText(kind, 'one', '"spec":{"size":3,"extraProperty":"x"}')
      const { status, message } = await strictly(t, path, { by, name: 'one', body })
      assert.ok(status >= 400, String(status))
      assert.match(message, by === 'create' ? /unknown field "spec\.extraProperty"/ : /extraProperty/)
    },
  }),
  defineCase({
    name: `field validation by ${by}: a field that comes twice is told, though any is kept`,
    stands: 'FieldValidation should detect duplicates in a CR when preserving unknown fields',
    async run(t) {
      const kind = freeKind(t)
      const path = await widgetsOf(t, kind)
      const body = widgetText(kind, 'one', '"spec":{"unknown":"x","foo":"one","foo":"two"}')
      const { status, message } = await strictly(t, path, { by, name: 'one', body })
      assert.equal(status, 400)
      assert.match(message, by === 'create' ? /duplicate field "spec\.foo"/ : /"foo" already set|duplicate field/)
    },
  }),
  defineCase({
    name: `field validation by ${by}: unknown metadata is told, of the object and of the one inside it`,
    stands: 'FieldValidation should detect unknown metadata fields in both the root and embedded object of a CR',
    async run(t) {
      const kind = freeKind(t)
      const path = await widgetsOf(t, kind)
      const inner = '"template":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x","unknownSubMeta":"x"}}'
      const body = widgetText(kind, 'one', inner, ',"unknownMeta":"x"')
      const { status, message } = await strictly(t, path, { by, name: 'one', body })
      assert.ok(status >= 400, String(status))
      assert.match(message, /unknownMeta/)
      if (by === 'create') assert.match(message, /unknown field "template\.metadata\.unknownSubMeta"/)
    },
  }),
])
