import { expect, test } from 'vitest'
import { completeFamilies, type Spec } from './complete-families.ts'
import type { IpFamily } from './ip-range.ts'

interface Case {
  name: string
  spec: Spec
  old?: Spec
  cluster?: IpFamily[]
  /** What becomes of the fields in question. */
  want?: Partial<Spec>
  errors?: string[]
}

const dual: IpFamily[] = ['IPv4', 'IPv6']
const v4 = '10.0.0.1'
const v6 = 'fd00::1'
const single: Spec = { type: 'ClusterIP', clusterIPs: [v4], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' }
const two: Spec = {
  type: 'ClusterIP',
  clusterIPs: [v4, v6],
  ipFamilies: ['IPv4', 'IPv6'],
  ipFamilyPolicy: 'RequireDualStack',
}
const headless: Spec = { clusterIP: 'None', clusterIPs: ['None'] }

const cases: Case[] = [
  { name: 'nothing said', spec: {}, want: { ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' } },
  { name: 'the default of the cluster is IPv6', spec: {}, cluster: ['IPv6', 'IPv4'], want: { ipFamilies: ['IPv6'] } },
  { name: 'an alias', spec: { type: 'ExternalName' }, want: {} },
  {
    name: 'an address says the family',
    spec: { clusterIPs: [v6] },
    cluster: dual,
    want: { ipFamilies: ['IPv6'], ipFamilyPolicy: 'SingleStack' },
  },
  {
    name: 'an address of a family that the cluster has not',
    spec: { clusterIPs: [v6] },
    errors: ['spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster'],
  },
  {
    name: 'two families preferred, of one',
    spec: { ipFamilyPolicy: 'PreferDualStack' },
    want: { ipFamilies: ['IPv4'], ipFamilyPolicy: 'PreferDualStack' },
  },
  {
    name: 'two families preferred, of two',
    spec: { ipFamilyPolicy: 'PreferDualStack', ipFamilies: ['IPv6'] },
    cluster: dual,
    want: { ipFamilies: ['IPv6', 'IPv4'] },
  },
  {
    name: 'two families required, of one',
    spec: { ipFamilyPolicy: 'RequireDualStack' },
    errors: [
      'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
    ],
  },
  {
    name: 'a family that the cluster has not',
    spec: { ipFamilies: ['IPv6'] },
    errors: ['spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster'],
  },
  {
    name: 'two of both with a policy of one',
    spec: { ...two, ipFamilyPolicy: 'SingleStack' },
    cluster: dual,
    errors: [
      `spec.ipFamilyPolicy: Invalid value: "SingleStack": must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified`,
      `spec.ipFamilyPolicy: Invalid value: "SingleStack": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified`,
    ],
  },
  {
    name: 'headless with a selector',
    spec: { ...headless, selector: { a: 'b' } },
    want: { ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' },
  },
  {
    name: 'headless without a selector, whatever the cluster has',
    spec: headless,
    want: { ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'RequireDualStack' },
  },
  {
    name: 'an update without a policy',
    spec: { ...two, ipFamilyPolicy: undefined },
    old: two,
    cluster: dual,
    want: two,
  },
  {
    name: 'an upgrade',
    spec: { ...single, ipFamilyPolicy: 'PreferDualStack' },
    old: single,
    cluster: dual,
    want: { clusterIPs: [v4], ipFamilies: ['IPv4', 'IPv6'] },
  },
  { name: 'a downgrade', spec: { ...two, ipFamilyPolicy: 'SingleStack' }, old: two, cluster: dual, want: single },
  {
    name: 'a downgrade without saying so',
    spec: { ...two, clusterIPs: [v4], ipFamilies: ['IPv4'] },
    old: two,
    cluster: dual,
    errors: [
      `spec.ipFamilyPolicy: Invalid value: "RequireDualStack": must be 'SingleStack' to release the secondary cluster IP`,
      `spec.ipFamilyPolicy: Invalid value: "RequireDualStack": must be 'SingleStack' to release the secondary IP family`,
    ],
  },
  {
    name: 'a cluster that has got a second family since',
    spec: { ...single, ipFamilyPolicy: 'PreferDualStack' },
    old: { ...single, ipFamilyPolicy: 'PreferDualStack' },
    cluster: dual,
    want: { ipFamilies: ['IPv4'] },
  },
]

test.each(cases)('families: $name', ({ spec, old, cluster = ['IPv4'], want, errors = [] }) => {
  const completed = structuredClone(spec)
  const found = completeFamilies(completed, old, cluster)
  expect(found.map(({ field, message }) => `${field}: ${message}`)).toEqual(errors)
  if (want) expect(completed).toMatchObject(want)
})
