import { enableCompileCache } from 'node:module'

// A worker has a cache of its own, and a process too: without it each strips the types of every file again.
enableCompileCache()
await import('./unit-main.ts')
