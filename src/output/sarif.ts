import type { Assessment } from '../core/assessment.ts'
import { isInhibitor, sortFindings, type Finding, type Location, type Severity } from '../core/findings.ts'
import { subjectText } from './findings-table.ts'
import { capital } from './report/words.ts'
import { plain } from './style.ts'

/** Where cluster findings point to when a reader insists on a file: the inventory they were read from. */
export interface SarifOptions {
  /** Path of the inventory, relative to where the document is used. */
  readonly inventoryFile: string
  /** More results are cut, worst first; GitHub refuses files that are too large. */
  readonly limit?: number
}

/** GitHub shows 5,000 results of a run and takes 25,000; beyond that it drops whole uploads. */
const defaultLimit = 5000

/** SARIF 2.1.0 (OASIS, errata 01), one run, as data; `json` prints it. */
export function sarif(assessment: Assessment, { inventoryFile, limit = defaultLimit }: SarifOptions): object {
  const found = sortFindings(assessment.findings).filter(
    ({ result }) => result === 'fail' || result === 'error',
  )
  const shown = found.slice(0, limit)
  const rules = [...Map.groupBy(shown, ({ rule }) => rule)].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const index = new Map(rules.map(([rule], place) => [rule, place]))
  return {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'k3os-migrate',
            version: assessment.metadata.toolVersion,
            semanticVersion: assessment.metadata.toolVersion,
            rules: rules.map(ruleOf),
          },
        },
        automationDetails: { id: 'k3os-migrate/assess/' },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: {
          NODES: {
            description: { text: 'One folder for each node, with its files as they lie on the node.' },
          },
        },
        invocations: [
          {
            executionSuccessful: true,
            endTimeUtc: assessment.metadata.createdAt,
            ...(shown.length === found.length
              ? {}
              : { toolExecutionNotifications: [cutNotice(shown, found)] }),
          },
        ],
        results: shown.map((f) => resultOf(f, index.get(f.rule) ?? 0, inventoryFile)),
      },
    ],
  }
}

function cutNotice(shown: readonly Finding[], found: readonly Finding[]): object {
  return {
    level: 'warning',
    message: {
      text: `Only the worst ${shown.length} of ${found.length} findings are in this file; all of them are in the JSON document (assess -o json).`,
    },
  }
}

function ruleOf([rule, findings]: readonly [string, readonly Finding[]]): object {
  const [worst] = findings
  if (worst === undefined) return { id: rule }
  const title = { text: sentence(worst.title) }
  const help = helpText(findings)
  return {
    id: rule,
    name: pascalCase(rule),
    shortDescription: title,
    fullDescription: title,
    help: { text: help, markdown: help },
    defaultConfiguration: { level: levelOf(worst.severity) },
    properties: { tags: ['k3os', areas[rule.slice(0, 3)] ?? 'assessment'], precision: 'high' },
  }
}

const areas: Readonly<Record<string, string>> = {
  CFG: 'configuration',
  PRE: 'gate',
  FIT: 'target',
  TRN: 'translation',
  INV: 'inventory',
}

/** What is said of every finding of a rule; what is said of one thing only stands in its own message. */
function helpText(findings: readonly Finding[]): string {
  const [worst] = findings
  if (worst === undefined) return ''
  const hints = (f: Finding): string[] =>
    f.remediations.filter(({ type }) => type === 'hint').map(({ text }) => text)
  const general = [worst.diagnosis, ...hints(worst)].filter(
    (text) =>
      text !== '' &&
      findings.every((f) => f.diagnosis === text || hints(f).includes(text)) &&
      !namesOf(worst).some((name) => text.includes(name)),
  )
  return [worst.title, ...general].map((text) => sentence(capital(plain(text)))).join(' ')
}

function namesOf({ subject, nodes, location }: Finding): string[] {
  return [subject.name, ...nodes, location?.file ?? null].filter((name) => name !== null)
}

function levelOf(severity: Severity): 'error' | 'warning' | 'note' {
  switch (severity) {
    case 'inhibitor':
    case 'high':
      return 'error'
    case 'medium':
      return 'warning'
    case 'low':
    case 'info':
      return 'note'
  }
}

function resultOf(f: Finding, ruleIndex: number, inventoryFile: string): object {
  return {
    ruleId: f.rule,
    ruleIndex,
    kind: 'fail',
    level: f.result === 'error' ? 'error' : levelOf(f.severity),
    message: { text: messageText(f) },
    locations: [locationOf(f, inventoryFile)],
    // What a waiver names: it survives changed wording and moved lines.
    partialFingerprints: { 'k3osMigrateKey/v1': f.key },
    suppressions:
      f.waiver === null
        ? []
        : [
            {
              kind: 'external',
              status: 'accepted',
              justification: `${f.waiver.reason} (${f.waiver.approvedBy}${f.waiver.expires === null ? '' : `, until ${f.waiver.expires}`})`,
            },
          ],
    properties: {
      severity: f.result === 'error' ? 'error' : f.severity,
      inhibitor: isInhibitor(f),
      remediations: f.remediations.map(({ type, text }) => ({ type, text })),
    },
  }
}

function messageText({ summary, diagnosis, remediations }: Finding): string {
  const [command] = remediations.filter(({ type }) => type === 'command')
  return [
    sentence(plain(summary)),
    plain(diagnosis),
    ...(command === undefined ? [] : [`Next: ${plain(command.text)}`]),
  ]
    .filter((text) => text !== '')
    .join(' ')
}

function locationOf(f: Finding, inventoryFile: string): object {
  return {
    physicalLocation: physicalLocation(f, inventoryFile),
    logicalLocations: [
      { fullyQualifiedName: subjectText(f.subject), kind: 'resource', ...nameOf(f) },
      ...f.nodes
        .filter((node) => node !== f.subject.name)
        .map((node) => ({ fullyQualifiedName: `Node ${node}`, name: node, kind: 'resource' })),
    ],
  }
}

function nameOf({ subject }: Finding): { readonly name?: string } {
  return subject.name === null ? {} : { name: subject.name }
}

/** A file of a node is below a folder of the node's name, so that two nodes do not share one. */
function physicalLocation({ location, nodes: [node] }: Finding, inventoryFile: string): object {
  if (location === null) return { artifactLocation: { uri: uriOf(inventoryFile) }, region: { startLine: 1 } }
  const onNode = location.file.startsWith('/')
  const path = onNode ? `${node ?? 'node'}${location.file}` : location.file
  return {
    artifactLocation: { uri: uriOf(path), ...(onNode ? { uriBaseId: 'NODES' } : {}) },
    region: regionOf(location),
  }
}

function regionOf({ line, column, endLine, endColumn }: Location): object {
  return {
    startLine: line ?? 1,
    ...(line === null || column === null ? {} : { startColumn: column }),
    ...(line === null || endLine === null ? {} : { endLine }),
    ...(line === null || endLine === null || endColumn === null ? {} : { endColumn }),
  }
}

function uriOf(path: string): string {
  return path
    .split('/')
    .map((segment) => encodeURIComponent(segment.toWellFormed()))
    .join('/')
}

function pascalCase(rule: string): string {
  return rule
    .toLowerCase()
    .split('-')
    .map((part) => part.slice(0, 1).toUpperCase() + part.slice(1))
    .join('')
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}
