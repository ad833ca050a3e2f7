import { describe, test } from 'vitest'
import { runContainerRuntimeSuite } from '../../../conformance/plugins/cri.suite.ts'
import createRuntime from './index.ts'
import { importTestImage, whyNoDocker } from './testing.ts'

const reason = await whyNoDocker()
if (reason) describe.skip(`docker: ${reason}`, () => test('is a container runtime', () => undefined))
else
  runContainerRuntimeSuite('docker', async () => {
    const image = await importTestImage()
    const runtime = await createRuntime({})
    return {
      runtime,
      image,
      commands: {
        forever: ['sleep', '1000000'],
        exitWith: (code) => ['sh', '-c', `exit ${code}`],
        print: (text) => ['echo', text],
      },
      exitAnnotations: () => ({}),
      isReal: true,
      close: async () => runtime[Symbol.asyncDispose](),
    }
  })
