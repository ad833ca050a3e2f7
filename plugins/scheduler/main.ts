/** The scheduler as a plugin component. */
import type { Run } from '@keelson/apis/plugin/v1/host.ts'
import { connect } from '@keelson/client'
import { createEventRecorder, createInformers, systemClock } from '@keelson/kit'
import { readConfig } from './config.ts'
import { createPodWriter } from './pod-writer.ts'
import { Scheduler } from './scheduler.ts'

const run: Run = async ({ api, config: raw, log, signal, ready }) => {
  const config = readConfig(raw)
  await using client = connect(api)
  const informers = createInformers(client)
  const scheduler = new Scheduler(config, {
    informers,
    writer: createPodWriter(client, config.schedulerName, systemClock.now),
    recorder: createEventRecorder(client, config.schedulerName),
    log,
    clock: systemClock,
    random: Math.random,
  })
  try {
    await scheduler.sync()
    ready()
    await scheduler.run(signal)
  } finally {
    informers.stop()
  }
}

export default run
