import { runContainerRuntimeSuite } from '../../../conformance/plugins/cri.suite.ts'
import createRuntime from './index.ts'

runContainerRuntimeSuite('sim', async () => {
  const runtime = await createRuntime({})
  return {
    runtime,
    image: 'registry.example/app:1',
    commands: { forever: ['serve'], exitWith: () => ['serve'], print: () => ['serve'] },
    exitAnnotations: (code) => ({ 'sim.keelson.dev/run-ms': '1', 'sim.keelson.dev/exit-code': String(code) }),
    isReal: false,
    close: async () => runtime[Symbol.asyncDispose](),
  }
})
