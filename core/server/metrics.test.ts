import { expect, test } from 'vitest'
import { ApiServerMetrics } from './api-server-metrics.ts'
import { Metrics } from './metrics.ts'
import { addProcessMetrics } from './process-metrics.ts'
import { parseRequest } from './request-info.ts'

test('counters, gauges and histograms are written as Prometheus reads them', () => {
  const metrics = new Metrics()
  metrics.counter('hits_total', 'Hits\nand "more".', ['path']).with('/a"b\\c\nd').inc(3)
  const gauge = metrics.gauge('level', 'Level.').with()
  gauge.set(2)
  gauge.dec(0.5)
  const histogram = metrics.histogram('took_seconds', 'Time.', ['op'], [0.1, 1]).with('get')
  for (const value of [0.1, 0.5, 7]) histogram.observe(value)
  expect(metrics.text()).toBe(String.raw`# HELP hits_total Hits\nand "more".
# TYPE hits_total counter
hits_total{path="/a\"b\\c\nd"} 3
# HELP level Level.
# TYPE level gauge
level 1.5
# HELP took_seconds Time.
# TYPE took_seconds histogram
took_seconds_bucket{op="get",le="0.1"} 1
took_seconds_bucket{op="get",le="1"} 2
took_seconds_bucket{op="get",le="+Inf"} 3
took_seconds_sum{op="get"} 7.6
took_seconds_count{op="get"} 3
`)
})

test('a family keeps a bounded number of children', () => {
  const metrics = new Metrics()
  const family = metrics.counter('c', 'C.', ['label'])
  expect(family.with('a')).toBe(family.with('a'))
  for (let index = 0; index < 12_000; index++) family.with(String(index)).inc()
  expect(family.with('new')).toBe(family.with('newer'))
  expect([...family.children()].length).toBeLessThanOrEqual(10_001)
  expect(() => metrics.gauge('c', 'Again.')).toThrow(/exists already/)
  expect(() => metrics.gauge('g', 'G.', ['x']).with()).toThrow(/has 1 labels/)
})

test('requests are counted under the names of Kubernetes', () => {
  const metrics = new Metrics()
  const server = new ApiServerMetrics(metrics, (info) => info.resource === 'pods')
  const request = (method: string, target: string) => {
    const url = new URL(target, 'https://x')
    return parseRequest(method, url.pathname, () => url.searchParams)
  }
  const get = request('GET', '/api/v1/namespaces/default/pods/web')
  const watch = request('GET', '/api/v1/pods?watch=1')
  const unknown = request('GET', '/apis/made.up/v1/things')
  const [got, , notFound] = [get, watch, unknown].map((info) => server.begin(info))
  got!.ended(200, 30)
  notFound!.ended(404, 1)
  server.begin(undefined).ended(400, 1)
  server.watchEvents('', 'v1', 'pods').inc(2)
  server.setStorageObjects([['gone', 1]])
  server.setStorageObjects([['pods', 7]])
  server.storageRequests('create', '/registry/pods').observe(0.003)
  const text = metrics.text()
  const labels = 'verb="GET",group="",version="v1",resource="pods",subresource="",scope="resource"'
  for (const line of [
    `apiserver_request_total{${labels},code="200"} 1`,
    `apiserver_request_duration_seconds_bucket{${labels},le="0.025"} 0`,
    `apiserver_request_duration_seconds_bucket{${labels},le="0.05"} 1`,
    'apiserver_request_total{verb="LIST",group="",version="",resource="",subresource="",scope="",code="404"} 1',
    'apiserver_request_total{verb="OTHER",group="",version="",resource="",subresource="",scope="",code="400"} 1',
    'apiserver_current_inflight_requests{request_kind="readOnly"} 0',
    'apiserver_longrunning_requests{verb="WATCH",group="",version="v1",resource="pods",subresource="",scope="cluster"} 1',
    'apiserver_watch_events_total{group="",version="v1",resource="pods"} 2',
    'apiserver_storage_objects{resource="pods"} 7',
    'etcd_request_duration_seconds_count{operation="create",type="/registry/pods"} 1',
  ]) {
    expect(text.split('\n')).toContain(line)
  }
  expect(text).not.toMatch(/made\.up|gone/)
})

test('the process tells of itself', () => {
  const metrics = new Metrics()
  addProcessMetrics(metrics)
  const text = metrics.text()
  for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'nodejs_heap_size_used_bytes']) {
    expect(text).toMatch(new RegExp(`^${name} [0-9.]*[1-9]`, 'm'))
  }
})
