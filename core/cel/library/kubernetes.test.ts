import { expect, test } from 'vitest'
import { compile, EvaluationError, toNative } from '../cel.ts'
import { kubernetesEnvironment } from './kubernetes.ts'

/** Evaluated with a check and without. */
function evaluate(expression: string): unknown {
  const [checked, unchecked] = [true, false].map((check) =>
    toNative(compile(expression, kubernetesEnvironment, { check }).evaluate({})),
  )
  expect(unchecked).toEqual(checked)
  return checked
}

const values: [expression: string, want: unknown][] = [
  // lists
  ['[1, 2, 2].isSorted() && !["b", "a"].isSorted() && [].isSorted()', true],
  ['[1, 3, 2].sum()', 6],
  ['[1.0, 0.5].sum()', 1.5],
  ['[duration("1m"), duration("1s")].sum() == duration("61s")', true],
  ['[3, 1, 2].min() == 1 && ["a", "c"].max() == "c"', true],
  ['[1, 2, 1].indexOf(1) == 0 && [1, 2, 1].lastIndexOf(1) == 2 && [1].indexOf(4) == -1', true],
  ['[1, 2, 3, 4].slice(1, 3)', [2, 3]],
  ['[[1], [2, [3]]].flatten().size() == 3 && dyn([1, [2, [3, [4]]]]).flatten(2) == [1, 2, 3, [4]]', true],
  ['[3, 1, 2].sort()', [1, 2, 3]],
  ['[1, 2, 1, 1u].distinct()', [1, 2]],
  ['["ccc", "a", "bb"].sortBy(s, size(s))', ['a', 'bb', 'ccc']],
  ['[{"n": 2}, {"n": 1}].sortBy(m, m.n).map(m, m.n)', [1, 2]],
  ['lists.range(3).reverse()', [2, 1, 0]],
  ['[1].first().value() == 1 && ![].last().hasValue()', true],
  // regex
  ['"abc 123".find("[0-9]*") == "" && "abc 123".find("[0-9]+") == "123"', true],
  ['"123 abc 456".findAll("[0-9]+")', ['123', '456']],
  ['"123 abc 456".findAll("[0-9]+", 1)', ['123']],
  // sets
  ['sets.contains([1, 2, 3], [2, 3.0]) && sets.equivalent([1], [1, 1u]) && !sets.intersects([1], [2])', true],
  // URLs
  ['url("https://example.com:80/").getHost()', 'example.com:80'],
  ['url("https://[::1]:80/").getHostname() == "::1" && url("https://[::1]:80/").getPort() == "80"', true],
  ['url("https://example.com/with space/").getEscapedPath()', '/with%20space/'],
  ['url("/path").getScheme() == "" && url("/path").getHost() == ""', true],
  ['url("https://e.com/?k=a&k=b%20c&l=").getQuery() == {"k": ["a", "b c"], "l": [""]}', true],
  ['isURL("https://a.com") && isURL("/a/b") && !isURL("a/b") && !isURL("https://a:b:c") && !isURL("../x")', true],
  // IP addresses
  [
    'isIP("127.0.0.1") && isIP("::1") && !isIP("127.0.0.256") && !isIP("::ffff:1.2.3.4") && !isIP("fe80::1%eth0")',
    true,
  ],
  ['ip("192.168.0.1").family() == 4 && ip("2001:db8::1").family() == 6', true],
  ['ip.isCanonical("::1") && !ip.isCanonical("::0:1") && !ip.isCanonical("2001:DB8::1")', true],
  ['ip("127.0.0.1").isLoopback() && ip("::1").isLoopback() && !ip("10.0.0.1").isLoopback()', true],
  ['ip("0.0.0.0").isUnspecified() && ip("::").isUnspecified()', true],
  ['ip("169.254.1.1").isLinkLocalUnicast() && ip("fe80::1").isLinkLocalUnicast()', true],
  ['ip("224.0.0.1").isLinkLocalMulticast() && ip("ff02::1").isLinkLocalMulticast()', true],
  [
    'ip("10.0.0.1").isGlobalUnicast() && !ip("255.255.255.255").isGlobalUnicast() && !ip("ff05::1").isGlobalUnicast()',
    true,
  ],
  ['string(ip("2001:db8:0:0:1:0:0:1"))', '2001:db8::1:0:0:1'],
  ['string(ip("1:0:0:2:0:0:0:3")) == "1:0:0:2::3" && string(ip("::")) == "::" && string(ip("1::")) == "1::"', true],
  ['ip("::1") == ip("0:0::1") && ip("127.0.0.1") != ip("127.0.0.2")', true],
  // networks
  ['cidr("192.168.0.0/24").containsIP("192.168.0.1") && !cidr("192.168.0.0/24").containsIP(ip("192.168.1.1"))', true],
  ['cidr("192.168.0.0/24").containsCIDR("192.168.0.128/25") && !cidr("10.0.0.0/8").containsCIDR(cidr("::/64"))', true],
  ['string(cidr("192.168.1.7/24").masked())', '192.168.1.0/24'],
  ['cidr("::1/128").prefixLength() == 128 && cidr("1.2.3.4/8").ip() == ip("1.2.3.4")', true],
  ['isCIDR("10.0.0.0/8") && !isCIDR("10.0.0.0/33") && !isCIDR("10.0.0.0")', true],
  // quantities
  ['quantity("1.5Gi").asInteger() == 1610612736 && quantity("50k").asInteger() == 50000', true],
  ['quantity("200M").compareTo(quantity("0.2G")) == 0 && quantity("200M") == quantity("0.2G")', true],
  ['quantity("50k").add(20).sub(quantity("20")) == quantity("50000")', true],
  ['quantity("150Mi").isGreaterThan(quantity("100Mi")) && quantity("50M").isLessThan(quantity("100M"))', true],
  ['quantity("500m").isInteger() == false && quantity("1e3").isInteger() && quantity("-1").sign() == -1', true],
  ['quantity("500m").asApproximateFloat()', 0.5],
  ['isQuantity("1.3Gi") && !isQuantity("1.3GiB") && !isQuantity("") && !isQuantity("100abc")', true],
  // versions
  ['semver("1.2.3").major() == 1 && semver("1.2.3").isLessThan(semver("1.10.0"))', true],
  [
    'semver("1.0.0-alpha.1").compareTo(semver("1.0.0-alpha.beta")) == -1 && semver("1.0.0-rc").isLessThan(semver("1.0.0"))',
    true,
  ],
  ['semver("1.0.0+a") == semver("1.0.0+b") && semver("v01.01", true) == semver("1.1.0")', true],
  ['isSemver("1.0.0") && !isSemver("1.0") && !isSemver("v1.0.0") && isSemver("v1", true)', true],
  // formats
  ['format.dns1123Label().validate("web").hasValue()', false],
  ['format.dns1123Label().validate("a.b").value()', ['must not contain dots']],
  ['format.dns1123LabelPrefix().validate("web-").hasValue()', false],
  ['format.named("uuid").value().validate("x").value()', ['does not match the UUID format']],
  ['format.named("nothing").hasValue()', false],
  [
    'format.date().validate("2024-02-30").hasValue() && !format.datetime().validate("2024-02-29T01:02:03Z").hasValue()',
    true,
  ],
  // strings
  ['"hello".charAt(1) + "a😀b".substring(1, 2) + "ab".reverse()', 'e😀ba'],
  ['"a,b,c".split(",", 2).join("|") + " x ".trim()', 'a|b,cx'],
]
test.each(values)('%s', (expression, want) => {
  expect(evaluate(expression)).toEqual(want)
})

test.each([
  ['dyn([]).min()', 'min called on empty list'],
  ['[1].slice(0, 2)', 'list is length 1'],
  ['lists.range(1000000000).size()', 'too long'],
  ['ip("1.2.3")', 'IP Address "1.2.3" parse error'],
  ['cidr("1.2.3.4")', 'network address parse error'],
  ['url("a b").getHost()', 'URL parse error'],
  ['quantity("x")', 'quantities must match'],
  ['quantity("500m").asInteger()', 'cannot convert value to integer'],
  ['semver("1.0")', 'invalid semver'],
])('%s fails with %s', (expression, message) => {
  const program = compile(expression, kubernetesEnvironment)
  expect(() => program.evaluate({})).toThrow(EvaluationError)
  expect(() => program.evaluate({})).toThrow(message)
})
