import { parse } from 'yaml'

// Files of the node, out of the documents that bring them there.

type Files = Map<string, string | Buffer>

/** The files that cloud-init will have written. */
export function filesOfUserData(userData: string): Files {
  const { write_files: files } = parse(userData) as {
    readonly write_files: readonly {
      readonly path: string
      readonly encoding?: string
      readonly content: string
    }[]
  }
  return new Map(
    files.map(({ path, encoding, content }) => [
      path,
      encoding === 'b64' ? Buffer.from(content, 'base64') : content,
    ]),
  )
}

/** The files that Ignition writes, units among them. */
export function filesOfIgnition(text: string): Files {
  const { storage, systemd } = JSON.parse(text) as {
    readonly storage: {
      readonly files: readonly { readonly path: string; readonly contents: { readonly source: string } }[]
    }
    readonly systemd: { readonly units: readonly { readonly name: string; readonly contents?: string }[] }
  }
  return new Map([
    ...storage.files.map(
      ({ path, contents }) =>
        [path, Buffer.from(contents.source.replace('data:;base64,', ''), 'base64').toString('utf8')] as const,
    ),
    ...systemd.units.flatMap(({ name, contents }) =>
      contents === undefined ? [] : [[`/etc/systemd/system/${name}`, contents] as const],
    ),
  ])
}

/** NetworkManager's keyfiles in a combustion script. */
export function keyfilesOfCombustion(script: string): [path: string, keyfile: string][] {
  return [
    ...script.matchAll(/^put 0600 \S+ (\S+\.nmconnection) <<'END_OF_FILE'\n([^]*?)^END_OF_FILE$/gm),
  ].map(([, path = '', keyfile = '']) => [path, keyfile])
}

/** Our own scripts among the files of a node. */
export function scriptsIn(files: ReadonlyMap<string, string | Uint8Array>): string[] {
  return [...files].flatMap(([path, content]) =>
    /^\/etc\/k3os-migrate\/[^/]+\.sh$/.test(path)
      ? [typeof content === 'string' ? content : Buffer.from(content).toString('utf8')]
      : [],
  )
}
