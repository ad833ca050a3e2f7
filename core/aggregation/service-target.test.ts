import { expect, test } from 'vitest'
import type { Service } from '#apis/core/v1/zz_generated.types.ts'
import type { EndpointSlice } from '#apis/discovery/v1/zz_generated.types.ts'
import { findTarget } from './service-target.ts'

const ref = { namespace: 'team', name: 'web', port: 443 }
const service = (spec: Service['spec']): Service => ({ apiVersion: 'v1', kind: 'Service', metadata: {}, spec })
const slice = (part: Partial<EndpointSlice>): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {},
  addressType: 'IPv4',
  endpoints: [{ addresses: ['192.0.2.1'] }],
  ports: [{ name: 'https', port: 8443 }],
  ...part,
})
const named = service({ ports: [{ name: 'https', port: 443 }] })

const cases: { name: string; of?: Service; slices?: EndpointSlice[]; want: object }[] = [
  {
    name: 'needs the service',
    want: { reason: 'ServiceNotFound', message: 'service/web in "team" is not present' },
  },
  {
    name: 'needs the port',
    of: service({ ports: [{ port: 80 }] }),
    want: { reason: 'ServicePortError', message: 'service/web in "team" is not listening on port 443' },
  },
  {
    name: 'needs slices',
    of: named,
    want: { reason: 'EndpointsNotFound', message: 'cannot find endpointslices for service/web in "team"' },
  },
  {
    name: 'needs an endpoint that is ready',
    of: named,
    slices: [slice({ endpoints: [{ addresses: ['192.0.2.1'], conditions: { ready: false } }] })],
    want: {
      reason: 'MissingEndpoints',
      message: 'endpointslices for service/web in "team" have no addresses with port name "https"',
    },
  },
  {
    name: 'needs the port in the slice',
    of: named,
    slices: [slice({ ports: [{ name: 'http', port: 80 }] })],
    want: { reason: 'MissingEndpoints' },
  },
  {
    name: 'takes every ready address of every slice',
    of: named,
    slices: [
      slice({ endpoints: [{ addresses: ['192.0.2.1'] }, { addresses: ['192.0.2.2'], conditions: { ready: true } }] }),
      slice({ ports: [{ name: 'https', port: 9443 }], endpoints: [{ addresses: ['192.0.2.3'] }] }),
    ],
    want: {
      addresses: [
        { host: '192.0.2.1', port: 8443 },
        { host: '192.0.2.2', port: 8443 },
        { host: '192.0.2.3', port: 9443 },
      ],
    },
  },
  {
    name: 'matches a port without a name with one without a name',
    of: service({ ports: [{ port: 443 }], type: 'NodePort' }),
    slices: [slice({ ports: [{ port: 8443 }] })],
    want: { addresses: [{ host: '192.0.2.1', port: 8443 }] },
  },
  {
    name: 'goes to the name of what lies outside',
    of: service({ type: 'ExternalName', externalName: 'api.example' }),
    want: { addresses: [{ host: 'api.example', port: 443 }] },
  },
]

test.each(cases)('$name', ({ of, slices = [], want }) => expect(findTarget(ref, of, slices)).toMatchObject(want))
