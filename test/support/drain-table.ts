import type { DrainCase } from './drain-cases/drain-case.ts'
import { type Drained, type KubectlAge, kubectlAges } from './kubectl.ts'

export type Verdict = 'same' | 'stated' | 'FAIL'

export interface Verdicts {
  readonly compatible: Verdict
  readonly strict: Verdict
}

interface ManyPods {
  readonly kubectl: Drained
  readonly compatible: Drained
  readonly strict?: Drained
}

/** What a suite of comparisons came to: cases down, ages of kubectl across. */
export class DrainTable {
  private readonly cases: readonly DrainCase[]
  private readonly verdicts = new Map<string, Verdicts>()
  private readonly manyPods = new Map<KubectlAge, ManyPods>()

  constructor(cases: readonly DrainCase[]) {
    this.cases = cases
  }

  note(number: number, age: KubectlAge, verdicts: Verdicts): void {
    this.verdicts.set(`${number} ${age}`, verdicts)
  }

  many(age: KubectlAge, drained: ManyPods): void {
    this.manyPods.set(age, drained)
  }

  print(): string {
    const width = Math.max(...this.cases.map(({ title }) => title.length)) + 5
    const columns = (cells: readonly string[]) => cells.map((cell) => cell.padEnd(17)).join('')
    const cases = this.cases.map(({ number, title }) => {
      const cells = kubectlAges.map((age) => {
        const verdicts = this.verdicts.get(`${number} ${age}`)
        return verdicts === undefined ? '-' : `${verdicts.compatible.padEnd(8)}${verdicts.strict}`
      })
      return `${String(number).padStart(2)}  ${title}`.padEnd(width) + columns(cells)
    })
    const ofMany = (value: (drained: Drained) => number) =>
      kubectlAges.map((age) => {
        const many = this.manyPods.get(age)
        if (many === undefined) return '-'
        return [many.kubectl, many.compatible, many.strict].map((one) => (one ? value(one) : '-')).join('/')
      })
    return [
      '',
      'Each pair: our drain in the manner of kubectl, and our own, beside kubectl of that age.',
      'same: same result; stated: differs as the case says, for the reasons below.',
      'In all cases our own drain undoes its cordon when it fails.',
      '',
      ''.padEnd(width) + columns(kubectlAges.map((age) => `kubectl ${age}`)),
      ...cases,
      '    200 pods, all three: requests'.padEnd(width) + columns(ofMany(({ requests }) => requests)),
      '    200 pods, all three: seconds'.padEnd(width) + columns(ofMany(({ seconds }) => seconds)),
      '',
      ...this.cases.flatMap(reasons),
      '',
    ].join('\n')
  }
}

function reasons({ number, variations }: DrainCase): string[] {
  const told = variations.flatMap(({ older, compatible, strict }) => [
    ...older.map(({ ages, because }) => `kubectl ${ages.join(', ')}: ${because}`),
    ...(compatible === undefined ? [] : [`like kubectl: ${compatible.because}`]),
    ...(strict === undefined ? [] : [`our own: ${typeof strict === 'string' ? strict : strict.because}`]),
  ])
  return [...new Set(told)].map((reason) => `${String(number).padStart(2)}  ${reason}`)
}
