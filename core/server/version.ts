/** The Kubernetes API this server speaks, and its own version. @see https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/ */
export const keelsonVersion = '0.1.0'

const kubernetes = { major: '1', minor: '36', patch: '0' }
export const gitVersion = `v${kubernetes.major}.${kubernetes.minor}.${kubernetes.patch}+keelson`

/** What /version answers. */
export const versionInfo = {
  major: kubernetes.major,
  minor: kubernetes.minor,
  gitVersion,
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: 'node',
  platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
}
