import { resolve } from 'node:path'
import { appendText } from '../adapters/files.ts'
import type { CommandIo } from './io.ts'

/** Adds Markdown to the page of a GitHub Actions job; says so where there is none. */
export async function appendSummary(markdown: string, io: CommandIo): Promise<void> {
  const file = io.env['GITHUB_STEP_SUMMARY']
  if (file === undefined || file === '') {
    io.err('No summary: GITHUB_STEP_SUMMARY is not set\n')
    return
  }
  await appendText(resolve(io.cwd, file), markdown)
}
