// What the project of pack.test.ts does with the packed library.
import { Budget, compile, evaluate } from '@keelson/cel'
import { kubernetesEnvironment } from '@keelson/cel/library/kubernetes.ts'

const budget = new Budget({ limit: 100 })
const holds = compile("format.dns1123Label().validate('A').hasValue()", kubernetesEnvironment).evaluate({}, budget)
console.log(JSON.stringify([evaluate('a + b', { a: 1, b: 2 }), holds, budget.cost]))
