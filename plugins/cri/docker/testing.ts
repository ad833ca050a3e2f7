import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { connectEngine } from './engine.ts'

/** What tests against a real engine share. */

/** Why there is no engine to test against; undefined when there is one. With KEELSON_REQUIRE_ALL=1 its absence is an error. */
export async function whyNoDocker(): Promise<string | undefined> {
  const engine = connectEngine()
  try {
    await engine.docker.ping()
    return undefined
  } catch (error) {
    if (process.env.KEELSON_REQUIRE_ALL === '1') throw new Error('no docker engine answers', { cause: error })
    return `no docker engine answers: ${error instanceof Error ? error.message : error}`
  } finally {
    engine.close()
  }
}

export const testImage = 'keelson-test/busybox:1'

/** Imports the machine's static busybox as an image, with its applets on the path, unless it is there. */
export async function importTestImage(): Promise<string> {
  const script = `set -e
    docker image inspect ${testImage} > /dev/null 2>&1 && exit
    root=$(mktemp -d); trap 'rm -rf "$root"' EXIT
    mkdir -p "$root/bin" "$root/tmp" "$root/etc"
    cp /usr/bin/busybox "$root/bin/busybox"
    for applet in $(busybox --list); do [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"; done
    printf 'root:x:0:0:root:/:/bin/sh\\n' > "$root/etc/passwd"
    tar -C "$root" -c . | docker import -c 'ENV PATH=/bin' -c 'CMD ["/bin/sh"]' - ${testImage}`
  await promisify(execFile)('sh', ['-c', script])
  return testImage
}
