import type { Rule } from '../findings.ts'

// What reading a configuration tells. Summaries never show a value that could be a secret: keys and places are enough.

interface Rejected {
  /** The source exists only after the metadata service ran. */
  readonly runtimeOnly: boolean
  readonly problem: string
  readonly hint: string
}
interface Spelled {
  readonly key: string
  /** The usual spelling of the setting: `k3os.server_url`. */
  readonly setting: string
}
interface Lost extends Spelled {
  /** `file:line:column` of what took its place. */
  readonly winner: string
  readonly winnerKey?: string
}
interface Changed extends Spelled {
  /** Null where the value may be a secret. */
  readonly written: string | null
  readonly became: string | null
}

const afterRejection =
  'k3OS reads all sources together and applies none of them when one is wrong: no host name, SSH keys, password, ' +
  'name servers, files or commands, and k3s is not configured or started. It logs one line and ends with status 0.'

const bootStillWorks =
  ' The boot phase does not see this source yet: what it applies from the others stays until the runtime phase fails.'

function change(facts: Changed): string {
  if (facts.written === null || facts.became === null)
    return `the value of ${facts.setting} changes when k3OS reads it`
  return `${facts.setting}: k3OS reads ${facts.written} as ${quoted(facts.became)}`
}

function quoted(text: string): string {
  return JSON.stringify(text)
}

function rule<Facts>(definition: Rule<Facts>): Rule<Facts> {
  return definition
}

export const configRules = {
  'CFG-UNREADABLE': rule<Rejected>({
    severity: 'inhibitor',
    title: 'k3OS cannot read a source',
    text: ({ problem, hint, runtimeOnly }) => ({
      summary: problem,
      diagnosis: afterRejection + (runtimeOnly ? bootStillWorks : ''),
      remediations: [{ type: 'hint', text: hint }],
    }),
  }),
  'CFG-NOT-READ': rule<{ readonly why: string }>({
    severity: 'inhibitor',
    title: 'A source could not be read here',
    text: ({ why }) => ({
      summary: `this source could not be read (${why}), so what k3OS makes of all of them is not known`,
      diagnosis:
        'On the node k3OS may well read it. One source decides about all: a later one can replace any value.',
      remediations: [{ type: 'hint', text: 'collect the node again as root: k3os-migrate inventory' }],
    }),
  }),
  'CFG-TYPE': rule<Rejected & { readonly setting: string }>({
    severity: 'inhibitor',
    title: 'A value of the wrong type discards the whole configuration',
    text: ({ setting, problem, hint, runtimeOnly }) => ({
      summary: `${setting} ${problem}`,
      diagnosis: afterRejection + (runtimeOnly ? bootStillWorks : ''),
      remediations: [{ type: 'hint', text: hint }],
    }),
  }),
  'CFG-UNKNOWN-KEY': rule<{
    readonly key: string
    readonly meant: string | null
    readonly belowFolded: boolean
    readonly cloudInit: boolean
  }>({
    severity: 'low',
    title: 'k3OS does not know a key and drops it',
    text: ({ key, meant, belowFolded, cloudInit }) => ({
      summary: `${key} has no effect: k3OS does not know this key`,
      diagnosis: belowFolded
        ? 'Below a key in unusual letter case k3OS accepts canonical names only, no snake_case or singular spellings.'
        : cloudInit
          ? 'The key belongs to cloud-init, which k3OS is not: it never had an effect on this node.'
          : 'k3OS drops unknown keys without a message, so the setting never took effect.',
      remediations:
        meant === null
          ? []
          : [{ type: 'hint', text: `if it should take effect, write ${meant}; if not, remove it` }],
    }),
  }),
  'CFG-SHADOWED': rule<Lost & { readonly cleared: boolean }>({
    severity: 'info',
    title: 'A later source replaces a value',
    text: ({ setting, winner, cleared }) => ({
      summary: cleared
        ? `${setting} is cleared by the null at ${winner}`
        : `${setting} is replaced by ${winner}`,
      diagnosis:
        'Sources rank from the system file over the kernel command line, the local file, metadata and user data to ' +
        'config.d. Lists and maps are replaced as a whole, never added to.',
    }),
  }),
  'CFG-TWO-SPELLINGS': rule<Lost>({
    severity: 'medium',
    title: 'One setting is written twice in different spellings',
    text: ({ key, setting, winner }) => ({
      summary: `${key} has no effect: ${winner} writes ${setting} in a spelling that wins`,
      diagnosis:
        'Within one source snake_case beats camelCase, and the singular of a one-word name beats its plural, whatever ' +
        'their order.',
      remediations: [{ type: 'hint', text: `keep one of them, spelled ${setting}` }],
    }),
  }),
  'CFG-RANDOM': rule<Lost>({
    severity: 'high',
    title: 'k3OS picks one of two values at random',
    text: ({ key, setting, winner }) => ({
      summary: `${key} and the value at ${winner} both set ${setting}: k3OS picks one of them anew at each start`,
      diagnosis:
        'Both spellings are copied to the same setting in an order that changes from run to run. The value of the other ' +
        'place is shown here; the node may be running with either.',
      remediations: [{ type: 'hint', text: `decide which one is meant and spell it ${setting}` }],
    }),
  }),
  'CFG-LOWER-CASE-TRAP': rule<Lost>({
    severity: 'high',
    title: 'An all-lower-case key beats every other spelling in every source',
    text: ({ key, setting, winner, winnerKey }) => ({
      summary: `${key} has no effect: ${winnerKey ?? 'the lower-case key'} at ${winner} beats it`,
      diagnosis:
        `k3OS decodes ${winnerKey ?? 'the lower-case key'} a second time, after all other spellings of ${setting}, so the ` +
        'order of the sources does not count for it.',
      remediations: [
        {
          type: 'hint',
          text: `spell it ${setting} at ${winner} too, or remove it there, if the other value is meant`,
        },
      ],
    }),
  }),
  'CFG-LOWER-CASE-KEY': rule<Spelled>({
    severity: 'low',
    title: 'An all-lower-case key works in a way nobody expects',
    text: ({ key, setting }) => ({
      summary: `${key} works as ${setting}, but no other source can change it`,
      diagnosis:
        'The all-lower-case spelling beats every other one whatever its source, and its value is taken as it is: a single ' +
        'text for a list, or "true" in quotes, would discard the whole configuration.',
      remediations: [{ type: 'hint', text: `spell it ${setting}` }],
    }),
  }),
  'CFG-LETTER-CASE': rule<Spelled>({
    severity: 'low',
    title: 'A key in unusual letter case loses to every usual spelling',
    text: ({ key, setting }) => ({
      summary: `${key} works as ${setting} only while no source spells it in the usual way`,
      diagnosis:
        'Its value is not converted either: a single text for a list would discard the whole configuration.',
      remediations: [{ type: 'hint', text: `spell it ${setting}` }],
    }),
  }),
  'CFG-LETTER-CASE-LOST': rule<Lost>({
    severity: 'medium',
    title: 'A key in unusual letter case lost to another spelling',
    text: ({ key, setting, winner }) => ({
      summary: `${key} has no effect: the value of ${setting} at ${winner} beats it`,
      diagnosis:
        'Keys that differ from the usual names in letter case lose to them, whatever the order of the sources.',
      remediations: [{ type: 'hint', text: `spell it ${setting}` }],
    }),
  }),
  'CFG-NO-EFFECT': rule<Spelled>({
    severity: 'medium',
    title: 'A value did not reach the result',
    text: ({ setting }) => ({ summary: `${setting} has no effect in the merged configuration` }),
  }),
  'CFG-DUPLICATE-KEY': rule<{ readonly key: string; readonly kept: string; readonly merge: boolean }>({
    severity: 'medium',
    title: 'A key stands twice in one map',
    text: ({ key, kept, merge }) => ({
      summary: merge
        ? `${key} is replaced by the << behind it (value at ${kept})`
        : `${key} is written again at ${kept}, and k3OS keeps only that`,
      diagnosis: merge
        ? 'k3OS handles << in the order it stands: it replaces keys written before it, unlike newer YAML readers.'
        : 'Other YAML readers refuse such a file; k3OS takes the last one.',
    }),
  }),
  'CFG-EQUAL-KEYS': rule<{ readonly key: string; readonly kept: string }>({
    severity: 'high',
    title: 'Two keys differ in type only, and k3OS picks one at random',
    text: ({ key, kept }) => ({
      summary: `${key} stands here and at ${kept}, once as text and once not: k3OS picks one of them at each start`,
      diagnosis: 'Keys that are numbers or booleans become text on the way, and then two keys are equal.',
    }),
  }),
  'CFG-REST-IGNORED': rule<{ readonly line: number }>({
    severity: 'high',
    title: 'Part of a file is never read',
    text: ({ line }) => ({
      summary: `everything from line ${line} on is ignored: the first YAML document ends before it`,
      diagnosis:
        "k3OS reads the first document only. A document ends at '---' or '...', and also where a line is indented less " +
        'than the first key of the file.',
      remediations: [
        { type: 'hint', text: "remove the '---', or give the first line the indentation of the others" },
      ],
    }),
  }),
  'CFG-BINARY-DAMAGED': rule<{ readonly setting: string }>({
    severity: 'high',
    title: 'Binary content does not survive',
    text: ({ setting }) => ({
      summary: `${setting}: every byte of this !!binary value that is not UTF-8 becomes U+FFFD`,
      diagnosis:
        'k3OS decodes !!binary before it writes the file, as text. Its own documentation shows this form.',
      remediations: [{ type: 'hint', text: 'write the base64 text as a plain value and set encoding: b64' }],
    }),
  }),
  'CFG-NUMBER-FORM': rule<Changed>({
    severity: 'medium',
    title: 'An unquoted number changes its form',
    text: (facts) => ({
      summary: change(facts),
      diagnosis:
        'Numbers become 64-bit floats and are written back in their shortest form: from a million on, and below 0.0001, ' +
        'with an exponent, octal and hexadecimal ones as decimals.',
      remediations: [{ type: 'hint', text: 'put the value in quotes if the text as written is meant' }],
    }),
  }),
  'CFG-VALUE-FORM': rule<Changed>({
    severity: 'low',
    title: 'An unquoted word is not what it looks like',
    text: (facts) => ({
      summary: change(facts),
      diagnosis:
        'In YAML 1.1 words such as yes, no, on, off, y and n are booleans, and ~ and null are nothing.',
      remediations: [{ type: 'hint', text: 'put the value in quotes if the word as written is meant' }],
    }),
  }),
  'CFG-TRIMMED': rule<Spelled>({
    severity: 'low',
    title: 'Blanks around a value are cut off',
    text: ({ setting }) => ({ summary: `${setting}: k3OS cuts off the blanks around this value` }),
  }),
  'CFG-COLLAPSED': rule<Spelled & { readonly what: 'list' | 'empty list' | 'map' | 'repeated argument' }>({
    severity: 'medium',
    title: 'A list or map stands where one text is needed',
    text: ({ setting, what }) => ({
      summary:
        what === 'map'
          ? `${setting}: the map becomes the text map[…], which is of no use to anything`
          : what === 'list'
            ? `${setting}: only the first element of the list is used`
            : what === 'empty list'
              ? `${setting}: the empty list becomes an empty text`
              : `${setting}: given more than once, and only the first value is used`,
    }),
  }),
  'CFG-NOT-TRUE': rule<Changed>({
    severity: 'medium',
    title: 'A text that looks like yes is false',
    text: ({ setting, written }) => ({
      summary: `${setting}: k3OS reads ${written ?? 'this text'} as false`,
      diagnosis:
        'As a text only the four letters true in lower case are true; without quotes yes and on would be, too.',
      remediations: [{ type: 'hint', text: 'write true, without quotes, if it should be on' }],
    }),
  }),
  'CFG-NOT-SPLIT': rule<Spelled & { readonly separator: 'comma' | 'blank' }>({
    severity: 'medium',
    title: 'A single text is one element, not several',
    text: ({ setting, separator }) => ({
      summary: `${setting}: this text is one element; k3OS does not split it at the ${separator}s`,
      remediations: [
        { type: 'hint', text: 'write a list, or repeat the argument on the kernel command line' },
      ],
    }),
  }),
  'CFG-BRACKET-ARGUMENT': rule<{ readonly key: string }>({
    severity: 'medium',
    title: 'Bracket arguments never worked',
    text: ({ key }) => ({
      summary: `the kernel argument ${key} sets nothing`,
      diagnosis:
        'The form key[name]=value stands in the k3OS documentation, but keys are split at dots only, so it names a setting ' +
        'that does not exist.',
      remediations: [
        {
          type: 'hint',
          text: 'in a file it would be a map entry; on the command line k3os.sysctls.net/ipv4/ip_forward=1 and k3os.labels.region=eu work',
        },
      ],
    }),
  }),
  'CFG-DOTTED-ARGUMENT': rule<Spelled>({
    severity: 'medium',
    title: 'A map key with dots is torn apart on the kernel command line',
    text: ({ key, setting }) => ({
      summary: `the kernel argument sets ${setting} to a text that starts with map[, not the key with the dots`,
      diagnosis: `Arguments are split at every dot, so only ${quoted(key)} is left as the key. No escape exists.`,
      remediations: [
        {
          type: 'hint',
          text: 'for sysctls use slashes (k3os.sysctls.kernel/printk=…); labels with dots work in files only',
        },
      ],
    }),
  }),
  'CFG-ARGUMENT-IGNORED': rule<{ readonly key: string; readonly because: string }>({
    severity: 'medium',
    title: 'A kernel argument is ignored because of an earlier one',
    text: ({ key, because }) => ({ summary: `the kernel argument ${key} is ignored: ${because}` }),
  }),
  'CFG-HOSTNAME-ARGUMENT': rule<Spelled>({
    severity: 'low',
    title: 'A hostname= on the kernel command line names the node',
    text: () => ({
      summary: 'k3OS takes hostname= from the kernel command line as the host name, whoever it was meant for',
      diagnosis: 'It overrides the system file, which k3OS does not mention.',
    }),
  }),
  'CFG-INIT-CMD': rule<Spelled>({
    severity: 'medium',
    title: 'init_cmd in a file never ran on a disk install',
    text: () => ({
      summary: 'init_cmd in a file has no effect on a disk install: files are not readable yet in that phase',
      diagnosis:
        'On a node installed to disk the initrd phase sees the kernel command line only. On an overlay install the local ' +
        'file and config.d are seen.',
      remediations: [
        { type: 'hint', text: 'if the commands matter, find out why nobody missed them, and use boot_cmd' },
      ],
    }),
  }),
  'CFG-USERDATA-SCRIPT': rule<{ readonly binary: boolean; readonly gzip: boolean }>({
    severity: 'medium',
    title: 'User data is a program, not a configuration',
    text: ({ binary, gzip }) => ({
      summary: binary
        ? `user data is binary${gzip ? ' (gzip)' : ''}: k3OS writes it to a file and sources that in sh`
        : 'user data is a script: k3OS sources it in sh at each boot, whatever interpreter its first line names',
      diagnosis:
        'It takes the place of write_files and run_cmd of all lower sources.' +
        (gzip ? ' k3OS does not unpack compressed user data, so it fails.' : ''),
    }),
  }),
  'CFG-METADATA-UNREADABLE': rule<{ readonly why: string }>({
    severity: 'low',
    title: 'A metadata file could not be read',
    text: ({ why }) => ({
      summary: `${why}; k3OS goes on without it`,
      diagnosis:
        'If it is readable on the node itself, the host name or SSH keys shown here may be different there.',
    }),
  }),
  'CFG-INSTALL-REMOVED': rule<Spelled>({
    severity: 'low',
    title: 'install is null',
    text: () => ({
      summary: 'k3os.install is null: it removes the whole block, and the k3OS installer then crashes',
    }),
  }),
  'CFG-FILE-SKIPPED': rule<{ readonly path: string; readonly problem: string }>({
    severity: 'high',
    title: 'k3OS skips a file of write_files',
    text: ({ path, problem }) => ({
      summary: `${path === '' ? 'a file without path' : path} is not written: ${problem}`,
      diagnosis: 'k3OS logs a line and goes on with the next file.',
    }),
  }),
  'CFG-SPECIAL-BITS': rule<{ readonly path: string; readonly permissions: string }>({
    severity: 'low',
    title: 'setuid, setgid and sticky bits are dropped',
    text: ({ path, permissions }) => ({
      summary: `${path}: of the permissions ${permissions} k3OS applies the last three digits only`,
    }),
  }),
  'CFG-PASSWORD-LITERAL': rule<Spelled>({
    severity: 'high',
    title: 'A placeholder for a locked password is the password',
    text: () => ({
      summary: 'k3os.password is a lone * or !: k3OS sets just that as the clear-text password of rancher',
      remediations: [
        { type: 'hint', text: 'change the password of rancher on the node; omit the key to have none' },
      ],
    }),
  }),
  'CFG-SEVERAL-TAINTS': rule<Spelled & { readonly count: number }>({
    severity: 'medium',
    title: 'Only one of several taints can take effect',
    text: ({ count }) => ({
      summary: `k3os.taints has ${count} entries, of which kubelet registers one`,
      diagnosis:
        'Each entry becomes an own kubelet argument, and every such argument replaces the one before it.',
      remediations: [
        {
          type: 'command',
          text: "kubectl get node NAME -o jsonpath='{.spec.taints}'",
        },
      ],
    }),
  }),
} as const
