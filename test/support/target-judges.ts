import { parse, stringify } from 'yaml'
import { readConfig } from '../../src/core/k3os/read.ts'
import { configYaml } from '../../src/core/k3os/print-config.ts'
import type { OutputFile } from '../../src/core/translation.ts'
import {
  answers,
  archive,
  ash,
  depend,
  entriesOfOverlay,
  interfaces,
  missingAlpineTools,
  openRc,
  openRcScripts,
  scriptsOfOverlay,
  servicesOfOverlay,
} from './alpine-judges.ts'
import {
  autoinstall,
  cloudInit,
  debconf,
  fragmentsIn,
  missingNetworkd,
  netplan,
  networkd,
  systemd,
  tmpfiles,
  unitsIn,
} from './cloud-init-judges.ts'
import { filesOfIgnition, filesOfUserData, keyfilesOfCombustion, scriptsIn } from './emitted-files.ts'
import { keyfileAsRead, missingTools, shellcheckAll } from './judges.ts'
import { about, judgeOfTexts, type Judge, type Question, type Subject } from './questions.ts'
import { sharedDir } from './shared.ts'
import {
  missingValidators,
  stagesOfKairos,
  stagesOfRegistration,
  validateAll,
  type Validator,
} from './validators.ts'
import { elementalMistakes, kairosMistakes } from './yip-rules.ts'

// Who judges what of each target's files.

/** What is missing of all that is asked below, as `requirePart` wants it. */
export function missingJudges(): string | undefined {
  return (
    missingValidators() ??
    missingTools(
      'cloud-init netplan systemd-analyze systemd-tmpfiles shellcheck debconf-set-selections nmcli bash'.split(
        ' ',
      ),
      'cloud-init netplan.io systemd shellcheck debconf network-manager bash',
    ) ??
    missingNetworkd() ??
    missingAlpineTools()
  )
}

export type Files = (path: string) => OutputFile['content']

const crds = sharedDir('schemas/elemental')
const kairosSchemas = sharedDir('schemas/kairos')

function parser(validator: Validator, flags: readonly string[] = [], known?: RegExp): Judge {
  return judgeOfTexts([validator, ...flags.map((flag) => flag.replace(/^.*\//, ''))].join(' '), (texts) =>
    validateAll(validator, texts, ...flags).map(({ accepted, said }) =>
      known === undefined ? { accepted, said } : { accepted, said: said.replace(known, '') },
    ),
  )
}

const ignition = parser('ignition', ['-strict'])
const butane = parser('butane', ['-strict'])
const yip = parser('yip', ['-strict'])
const kairos = parser('kairos')
const manifest = crds === undefined ? null : parser('manifest', ['-crds', `${crds}/*/*.yaml`])
const kairosShapes =
  kairosSchemas === undefined
    ? []
    : ['cloud-config.v4.2.0.derived.json', 'yip-stages.mudler-yip-1.24.derived.json'].map((schema) =>
        parser('json-schema', ['-schema', `${kairosSchemas}/${schema}`]),
      )

const shell = judgeOfTexts('shellcheck', (texts) => shellcheckAll(texts, 'sh'))
const bash = judgeOfTexts('shellcheck -s bash', (texts) => shellcheckAll(texts, 'bash'))
const openRcShell = judgeOfTexts('shellcheck of services', (texts) =>
  shellcheckAll(texts, 'sh', openRcScripts),
)

const networkManager = judgeOfTexts('NetworkManager', (keyfiles) =>
  keyfiles.map((keyfile) => {
    const read = keyfileAsRead(keyfile)
    return { accepted: read === keyfile, said: read === keyfile ? '' : `read as ${read}` }
  }),
)

/** Rules where the parsers let pass what the machine does not. */
function ownRules(mistakes: (text: string) => readonly string[]): Judge {
  return judgeOfTexts(`our rules, ${mistakes.name}`, (texts) =>
    texts.map((text) => {
      const said = mistakes(text).join('\n')
      return { accepted: said === '', said }
    }),
  )
}

const rulesOfKairos = ownRules(kairosMistakes)
const rulesOfElemental = ownRules(elementalMistakes)

/** k3OS itself would read it, and would make of it what is written there. */
const k3os = judgeOfTexts("k3OS's own reading", (texts) =>
  texts.map((text) => {
    const bytes = new TextEncoder().encode(text)
    const reading = readConfig({ system: { file: 'config.yaml', bytes }, configD: [] })
    if (reading.status === 'rejected') return { accepted: false, said: reading.reason }
    const again = configYaml(reading.config)
    return { accepted: again === text, said: again === text ? '' : `read as ${again}` }
  }),
)

const units = (files: Subject): Question => ({ judge: systemd, subject: unitsIn(files) })
const scripts = (files: Subject): Question[] => scriptsIn(files).map((script) => about(shell, script))

function seed(file: Files): Question[] {
  const files = filesOfUserData(String(file('user-data')))
  return [
    about(cloudInit, String(file('user-data'))),
    about(netplan, String(file('network-config'))),
    units(files),
    ...scripts(files),
    { judge: tmpfiles, subject: fragmentsIn(files) },
  ]
}

function talos(validator: Validator, file: Files): Question[] {
  const role = /--output-types (controlplane|worker)/.exec(String(file('MOVE.md')))?.[1] ?? ''
  // The images of MOVE.md are made by the factory.
  const known =
    /^warning: installer\.image is not set, if Talos is not booted from asset built by Image Factory.*\n/
  return [about(parser(validator, ['-patch-of', role], known), String(file('machine.yaml')))]
}

/** By target; `paths` are those of all files that it wrote. */
export const questionsOf: Readonly<
  Record<string, (file: Files, paths: readonly string[]) => readonly Question[]>
> = {
  debian: (file, paths) => [
    ...seed(file),
    about(debconf, String(file('preseed.cfg'))),
    ...[...String(file('preseed.cfg')).matchAll(/^d-i \S+_command string (.*)$/gm)].map(([, command = '']) =>
      about(ash, command),
    ),
    about(interfaces, String(file('ifupdown/interfaces'))),
    {
      judge: networkd,
      subject: new Map(
        paths.flatMap((path) =>
          /^networkd\/.*\.network$/.test(path) ? [[path.slice('networkd/'.length), file(path)] as const] : [],
        ),
      ),
    },
  ],
  ubuntu: (file) => {
    const document = String(file('autoinstall.yaml'))
    const { autoinstall: parts } = parse(document) as {
      readonly autoinstall: { readonly 'user-data': object }
    }
    return [
      ...seed(file),
      ...(autoinstall === null ? [] : [about(autoinstall, document)]),
      about(cloudInit, `#cloud-config\n${stringify(parts['user-data'])}`),
    ]
  },
  alpine: (file) => {
    const overlay = file('k3os.apkovl.tar.gz')
    if (!(overlay instanceof Uint8Array)) throw new TypeError('there is no overlay')
    const { medium } = entriesOfOverlay(overlay)
    const network = medium.find(({ path }) => path === 'etc/network/interfaces')?.content.toString() ?? ''
    const services = servicesOfOverlay(overlay)
    return [
      ...scriptsOfOverlay(overlay).flatMap((script) => [about(ash, script), about(openRcShell, script)]),
      ...[...services].flatMap(([path, service]) =>
        path.startsWith('/etc/init.d/k3') ? [about(depend, String(service))] : [],
      ),
      { judge: openRc, subject: services },
      about(answers, String(file('answers'))),
      about(interfaces, network),
      { judge: archive, subject: new Map([['/', overlay]]) },
    ]
  },
  microos: (file) => {
    const script = String(file('combustion/script'))
    const files = filesOfIgnition(String(file('ignition/config.ign')))
    return [
      about(bash, script),
      ...keyfilesOfCombustion(script).map(([, keyfile]) => about(networkManager, keyfile)),
      about(ignition, String(file('ignition/config.ign'))),
      units(files),
      ...scripts(files),
    ]
  },
  flatcar: (file) => {
    const files = filesOfIgnition(String(file('config.ign')))
    return [
      about(ignition, String(file('config.ign'))),
      about(butane, String(file('config.bu'))),
      units(files),
      ...scripts(files),
    ]
  },
  kairos: (file) => {
    const text = String(file('user-data'))
    return [
      about(kairos, text),
      about(yip, stagesOfKairos(text)),
      about(rulesOfKairos, text),
      ...kairosShapes.map((judge) => about(judge, text)),
      about(shell, String(file('build-image.sh'))),
    ]
  },
  elemental: (file) => {
    const text = String(file('oem/99_k3os_migrate.yaml'))
    return [about(yip, text), about(rulesOfElemental, text)]
  },
  'elemental-rancher': (file) => {
    const registration = String(file('registration.yaml'))
    const cluster = String(file('cluster.yaml')).replace('name: CLUSTER', 'name: shops')
    return [
      about(yip, stagesOfRegistration(registration)),
      ...(manifest === null ? [] : [about(manifest, registration), about(manifest, cluster)]),
    ]
  },
  talos: (file) => talos('talos-1.14', file),
  'talos-1.13': (file) => talos('talos-1.13', file),
  'k3os-maintained': (file) => [about(k3os, String(file('config.yaml')))],
}
