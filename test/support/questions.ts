import { createHash } from 'node:crypto'
import type { Verdict } from './judges.ts'

/** Files by their path on the node; a document that is judged alone lies at `/`. */
export type Subject = ReadonlyMap<string, string | Uint8Array>

/** One program, known by its name, asked about many subjects at once where it takes long to start. Verdicts in the order of the subjects. */
export interface Judge {
  readonly name: string
  readonly judgeAll: (subjects: readonly Subject[]) => readonly Verdict[]
}

export interface Question {
  readonly judge: Judge
  readonly subject: Subject
}

/** A judge of files, one node after the other. */
export function judgeOfFiles(name: string, judge: (files: Subject) => Verdict): Judge {
  return { name, judgeAll: (subjects) => subjects.map(judge) }
}

/** A judge of single documents. */
export function judgeOfTexts(name: string, judge: (texts: readonly string[]) => readonly Verdict[]): Judge {
  return { name, judgeAll: (subjects) => judge(subjects.map((subject) => String(subject.get('/')))) }
}

export function about(judge: Judge, text: string): Question {
  return { judge, subject: new Map([['/', text]]) }
}

/** What the judge says of one document. */
export function ask(judge: Judge, text: string): Verdict {
  return askAll([about(judge, text)])[0] ?? { accepted: false, said: 'nobody judged' }
}

/** Verdicts in the order of the questions. What is the same to the letter is asked once. */
export function askAll(questions: readonly Question[]): Verdict[] {
  const verdicts = new Map<string, Verdict>()
  const keys = questions.map(({ judge, subject }) => `${judge.name} ${digest(subject)}`)
  for (const list of Map.groupBy(questions.keys(), (index) => questions[index]?.judge.name).values()) {
    const distinct = new Map(list.map((index) => [keys[index] ?? '', questions[index]]))
    const asked = [...distinct].flatMap(([key, question]) =>
      question === undefined ? [] : [{ key, question }],
    )
    const said = asked[0]?.question.judge.judgeAll(asked.map(({ question }) => question.subject)) ?? []
    for (const [index, { key }] of asked.entries())
      verdicts.set(key, said[index] ?? { accepted: false, said: 'it was not judged' })
  }
  return keys.map((key) => verdicts.get(key) ?? { accepted: false, said: 'it was not judged' })
}

function digest(subject: Subject): string {
  const hash = createHash('sha256')
  for (const [path, content] of subject) hash.update(`${path}\0${content.length}\0`).update(content)
  return hash.digest('hex')
}
