import { expect, test } from 'vitest'
import {
  annotationKeyFaults,
  byteLength,
  configMapKeyFaults,
  dns1035LabelFaults,
  dnsLabelFaults,
  dnsSubdomainFaults,
  envVarNameFaults,
  labelKeyFaults,
  labelValueFaults,
  pathSegmentFaults,
  percentFaults,
  portNameFaults,
} from './names.ts'

const subdomainFault =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
const labelFault =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
const nameFault =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

test.each<[(value: string) => string[], string, unknown[]]>([
  [dnsSubdomainFaults, 'a', []],
  [dnsSubdomainFaults, 'a-b.c1', []],
  [dnsSubdomainFaults, 'A', [subdomainFault]],
  [dnsSubdomainFaults, '', [subdomainFault]],
  [dnsSubdomainFaults, 'a..b', [subdomainFault]],
  [dnsSubdomainFaults, 'a\n', [subdomainFault]],
  [dnsSubdomainFaults, 'a'.repeat(254), ['must be no more than 253 bytes']],
  [dnsLabelFaults, 'a-1', []],
  [dnsLabelFaults, 'a.b', ['must not contain dots']],
  [dnsLabelFaults, '-a', [labelFault]],
  [dnsLabelFaults, 'a'.repeat(64), ['must be no more than 63 bytes']],
  [labelKeyFaults, 'app', []],
  [labelKeyFaults, 'example.com/App_1', []],
  [labelKeyFaults, '/app', ['prefix part must be non-empty']],
  [labelKeyFaults, 'Example.com/app', [`prefix part ${subdomainFault}`]],
  [labelKeyFaults, 'a/', ['name part must be non-empty', `name part ${nameFault}`]],
  [labelKeyFaults, 'a'.repeat(64), ['name part must be no more than 63 bytes']],
  [
    labelKeyFaults,
    'a/b/c',
    [`a valid label key ${nameFault} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`],
  ],
  [annotationKeyFaults, 'Example.com/app', []],
  [labelValueFaults, '', []],
  [labelValueFaults, 'a_B.c', []],
  [
    labelValueFaults,
    'a b',
    [
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    ],
  ],
  [portNameFaults, 'http', []],
  [portNameFaults, '80', ['must contain at least one letter (a-z)']],
  [portNameFaults, 'a--b-', ['must not contain consecutive hyphens', 'must not begin or end with a hyphen']],
  [configMapKeyFaults, '..data', ["must not start with '..'"]],
  [envVarNameFaults, 'A=B', [expect.stringContaining("other than '='")]],
  [pathSegmentFaults, 'system:node', []],
  [pathSegmentFaults, '..', ["may not be '..'"]],
  [pathSegmentFaults, 'a/b%', ["may not contain '/'", "may not contain '%'"]],
  [dns1035LabelFaults, '1a', [expect.stringContaining('a DNS-1035 label must')]],
  [percentFaults, '10%', []],
])('$0.name of $1', (check, value, want) => expect(check(value)).toEqual(want))

test.each(['', 'abc', 'é', '€uro', '😀', 'a😀é'])('byteLength of %j is that of its UTF-8', (value) =>
  expect(byteLength(value)).toBe(Buffer.byteLength(value)),
)
