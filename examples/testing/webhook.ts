import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { end, lineOf, startNode } from './cluster.ts'

const run = promisify(execFile)

/** A webhook that runs on this machine, under a certificate made for it. */
export interface Webhook extends AsyncDisposable {
  url: string
  /** Who vouches for it, as definitions and configurations name it. */
  caBundle: string
}

/** @param program takes the files of a certificate and its key, and a port; prints the address it listens at */
export async function startWebhook(program: string): Promise<Webhook> {
  const directory = await mkdtemp(join(tmpdir(), 'keelson-webhook-'))
  const certificate = join(directory, 'tls.crt')
  const key = join(directory, 'tls.key')
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '30']
  await run('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', certificate, ...subject])
  const webhook = startNode([program, certificate, key, '0'])
  const [, url] = await lineOf(webhook, /(https:\/\/localhost:\S+)$/)
  return {
    url: url!,
    caBundle: (await readFile(certificate)).toString('base64'),
    [Symbol.asyncDispose]: async () => {
      await end(webhook)
      await rm(directory, { recursive: true, force: true })
    },
  }
}
