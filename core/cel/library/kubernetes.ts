/** All functions that expressions in Kubernetes may call. */
import { standardEnvironment } from '../cel.ts'
import type { Library } from '../environment.ts'
import { authorizers } from './authorizer.ts'
import { cidrs } from './cidr.ts'
import { durations } from './durations.ts'
import { format } from './format.ts'
import { ips } from './ip.ts'
import { lists } from './lists.ts'
import { quantities } from './quantity.ts'
import { regex } from './regex.ts'
import { semvers } from './semver.ts'
import { sets } from './sets.ts'
import { strings } from './strings.ts'
import { urls } from './urls.ts'

export const kubernetes: readonly Library[] = [
  strings,
  sets,
  lists,
  regex,
  urls,
  ips,
  cidrs,
  quantities,
  semvers,
  format,
  durations,
  authorizers,
]

/** Extend it with the variables of a rule. */
export const kubernetesEnvironment = standardEnvironment.extend({ libraries: kubernetes })

/** The same for expressions that people write into objects: what is wrong with their literals is refused, too. */
export const strictEnvironment = kubernetesEnvironment.extend({ strictLiterals: true })
