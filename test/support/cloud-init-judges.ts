import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { parse, stringify } from 'yaml'
import { judge, judgeUnits, rootWith, unitPrograms, type Verdict } from './judges.ts'
import { judgeOfFiles, judgeOfTexts, type Judge, type Subject } from './questions.ts'
import { sharedDir } from './shared.ts'

// Debian's own tools, as judges of what is emitted for Debian and Ubuntu.

/** What Python says of each of these files: a line for each that is wrong, its path first. */
function byPython(program: string, paths: readonly string[]): Verdict[] {
  // The Python of the system, which brings what cloud-init needs.
  const { accepted, said } = judge('/usr/bin/python3', ['-c', program, ...paths])
  if (!accepted) throw new Error(said)
  return paths.map((path) => {
    const wrong = said.split('\n').filter((line) => line.startsWith(`${path}: `))
    return { accepted: wrong.length === 0, said: wrong.map((line) => line.slice(path.length + 2)).join('\n') }
  })
}

function filesWith(texts: readonly string[]): string[] {
  const root = rootWith(texts.map((text, index) => [`/${index}`, text]))
  return texts.map((_, index) => `${root}/${index}`)
}

/** `cloud-init schema -c`, without its start for each file. */
export const cloudInit: Judge = judgeOfTexts('cloud-init', (texts) => {
  const program = `
import sys, contextlib, io
from cloudinit.config.schema import get_schema, validate_cloudconfig_file
schema = get_schema()
for path in sys.argv[1:]:
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            validate_cloudconfig_file(path, schema)
    except Exception as error:
        print(f"{path}: {error!r}")
`
  return byPython(program, filesWith(texts))
})

export const netplan: Judge = judgeOfTexts('netplan', (texts) =>
  texts.map((text) => {
    const root = rootWith([
      ['/etc/netplan/50-cloud-init.yaml', stringify({ network: parse(text) as unknown })],
    ])
    return judge('netplan', ['generate', '--root-dir', root])
  }),
)

/** Of the scripts that units run it counts only whether they are there. */
export function unitsIn(files: Subject): Subject {
  return new Map([...files].map(([path, content]) => [path, path.startsWith('/etc/systemd/') ? content : '']))
}

export const systemd: Judge = judgeOfFiles('systemd-analyze', judgeUnits)

const asText = (content: string | Uint8Array): string =>
  typeof content === 'string' ? content : Buffer.from(content).toString('utf8')

const users = 'root:x:0:0::/root:/bin/bash\nrancher:x:1000:1000::/home/rancher:/bin/bash\n'

/** What systemd-tmpfiles makes of its fragments among these files, in a root of its own. */
export function tmpfilesIn(files: Subject): { readonly root: string } & Verdict {
  const root = rootWith([...unitPrograms, ['/etc/passwd', users], ['/etc/group', 'root:x:0:\n'], ...files])
  // With a root it takes names of fragments, not paths.
  const names = [...files.keys()].filter(isFragment).map((path) => basename(path))
  return { root, ...judge('systemd-tmpfiles', ['--create', `--root=${root}`, ...names]) }
}

export const tmpfiles: Judge = judgeOfFiles('systemd-tmpfiles', (files) => {
  const { accepted, said } = tmpfilesIn(files)
  return { accepted, said }
})

const isFragment = (path: string): boolean => path.startsWith('/etc/tmpfiles.d/')

/** Fragments, and the files that they name. */
export function fragmentsIn(files: Subject): Subject {
  const text = [...files].map(([path, content]) => (isFragment(path) ? asText(content) : '')).join('')
  return new Map([...files].filter(([path]) => isFragment(path) || text.includes(path)))
}

export const debconf: Judge = judgeOfTexts('debconf', (texts) =>
  filesWith(texts).map((path, index) => {
    const verdict = judge('debconf-set-selections', ['--checkonly', path])
    // debconf takes any word for a type.
    const answer =
      /^(?:d-i|tasksel|popularity-contest) \S+\/\S+ (?:string|boolean|select|multiselect|note|password)(?: |$)/
    const lines = (texts[index] ?? '').trimEnd().split('\n')
    const wrong = lines.filter((line) => !line.startsWith('#') && !answer.test(line))
    return wrong.length === 0
      ? verdict
      : { accepted: false, said: `${verdict.said}no answer: ${wrong.join('; ')}` }
  }),
)

/** The installer's own schema, which may not be shipped: it lies beside the project, or nowhere. */
const subiquity = sharedDir('schemas/subiquity-autoinstall')

/** Null where there is no schema. */
export const autoinstall: Judge | null =
  subiquity === undefined
    ? null
    : judgeOfTexts('autoinstall', (texts) => {
        const program = `
import json, sys, yaml, jsonschema
schema = json.load(open("${subiquity}/autoinstall-schema.json"))
for path in sys.argv[1:]:
    document = yaml.safe_load(open(path))["autoinstall"]
    try:
        jsonschema.validate(document, schema)
    except jsonschema.ValidationError as error:
        print(f"{path}: {error.message!r}")
    # The schema takes any other key as well, and so does the installer.
    unknown = set(document) - set(schema["properties"])
    if unknown:
        print(f"{path}: unknown: {unknown}")
`
        return byPython(program, filesWith(texts))
      })

const daemon = '/lib/systemd/systemd-networkd'

export function missingNetworkd(): string | undefined {
  return !existsSync(daemon)
    ? `${daemon} missing: apt-get install --no-install-recommends systemd`
    : process.getuid?.() === 0
      ? undefined
      : 'a network of its own needs root'
}

/**
 * systemd-networkd has no check of its own: the daemon itself reads the files, in a network of its own, and says what it
 * minds. Files by name. It takes two seconds to be asked: all nodes at once, each file under a name of its own; it has no bus
 * and no udev here, so only its complaints about files count.
 */
export const networkd: Judge = {
  name: 'networkd',
  judgeAll: (subjects) => {
    const all = subjects.flatMap((files, node) =>
      [...files].map(([name, text]) => [`/${name.slice(0, 3)}${node}.${name}`, text, 0o644] as const),
    )
    const root = rootWith(all)
    const script = [
      'mount -t tmpfs tmpfs /run',
      'mkdir -p /run/systemd/network',
      `cp ${root}/* /run/systemd/network`,
      'chmod -R a+rX /run/systemd',
      `SYSTEMD_LOG_TARGET=console SYSTEMD_LOG_LEVEL=warning timeout -k 1 2 ${daemon} 2>&1 | grep ^/run/systemd/network`,
    ]
    const { said } = judge('unshare', ['-n', '-m', '-p', '-f', '--mount-proc', 'sh', '-c', script.join('\n')])
    return subjects.map((_, node) => {
      const minded = said
        .split('\n')
        .filter((line) => line.slice('/run/systemd/network/10-'.length).startsWith(`${node}.`))
      return { accepted: minded.length === 0, said: minded.join('\n') }
    })
  },
}
