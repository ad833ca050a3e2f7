import { expect, test } from 'vitest'
import { hasFormat } from './formats.ts'

const cases: Record<string, { good: string[]; bad: string[] }> = {
  'date-time': {
    good: ['2026-01-31T23:59:59Z', '2026-01-31t00:00:00.123456+01:00', '2024-02-29T00:00:00Z'],
    bad: ['2026-01-31', '2026-13-01T00:00:00Z', '2026-02-29T00:00:00Z', '2026-01-01T24:00:00Z', ''],
  },
  date: { good: ['2026-01-31'], bad: ['2026-1-31', '2026-04-31'] },
  duration: { good: ['1h30m', '22 ns', '0', '1.5h', '3 weeks'], bad: ['', 'h', '1 2'] },
  byte: { good: ['', 'YQ==', 'YWJj'], bad: ['YQ', 'Y===', '!!!!'] },
  ipv4: { good: ['1.2.3.4'], bad: ['1.2.3.256', '01.2.3.4', '1.2.3', '::1'] },
  ipv6: {
    good: ['::', '::1', 'fe80::1', '1:2:3:4:5:6:7:8', '::ffff:1.2.3.4'],
    bad: [':::', '1:2', '1:2:3:4:5:6:7:8:9', '1::2::3', 'g::1', '1.2.3.4', '1.2.3.4::'],
  },
  cidr: { good: ['10.0.0.0/8', '::/0', 'fe80::/128'], bad: ['10.0.0.0', '10.0.0.0/33', '::/129', '10.0.0.0/8/8'] },
  mac: {
    good: ['00:11:22:33:44:55', '00-11-22-33-44-55', '0011.2233.4455'],
    bad: ['00:11:22:33:44', '00:11-22:33:44:55'],
  },
  uuid: { good: ['123e4567-e89b-12d3-a456-426614174000'], bad: ['123e4567', ''] },
  uuid4: { good: ['123e4567-e89b-42d3-a456-426614174000'], bad: ['123e4567-e89b-12d3-a456-426614174000'] },
  uri: { good: ['https://a.b/c?d', 'urn:x:y', '/path'], bad: ['a b', ''] },
  email: { good: ['a@b.c'], bad: ['a', '@b'] },
  hostname: { good: ['a.b-c.d', 'a.'], bad: ['-a', 'a..b', 'x'.repeat(64)] },
  hexcolor: { good: ['#fff', '00ff00'], bad: ['#ff'] },
  rgbcolor: { good: ['rgb(1, 2,255)'], bad: ['rgb(1,2,256)', 'rgb(1,2)'] },
  isbn: { good: ['0-306-40615-2', '978-3-16-148410-0'], bad: ['0-306-40615-3'] },
  creditcard: { good: ['4111 1111 1111 1111'], bad: ['4111 1111 1111 1112'] },
}
for (const [format, { good, bad }] of Object.entries(cases)) {
  test.each(good)(`%j is of format ${format}`, (value) => expect(hasFormat(format, value)).toBe(true))
  test.each(bad)(`%j is not of format ${format}`, (value) => expect(hasFormat(format, value)).toBe(false))
}
