import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { templateTools } from '../../../src/adapters/templates.ts'
import { comparison } from '../../../src/commands/compare.ts'
import { everyTranslator, refusedTargets } from '../../../src/commands/target.ts'
import { auditHtml } from '../../../src/output/audit/audit-html.ts'
import { comparisonHtml } from '../../../src/output/report/comparison-html.ts'
import { reportHtml } from '../../../src/output/report/report-html.ts'
import { targetsHtml } from '../../../src/output/report/targets-html.ts'
import { runReport } from '../../../src/output/report/run-report.ts'
import { findChromium, openPage, type Page } from '../../support/chromium.ts'
import { fiveNodes } from '../../support/five-nodes.ts'
import { requirePart } from '../../support/require-part.ts'
import { everyKey, nodeFrom } from '../../support/translation.ts'
import { stoppedRun } from '../../unit/output/report/builders.ts'

// The pages in a real browser: nobody signs what does not fit on the page, or what half of the readers cannot read.

const program = findChromium()
const skip = requirePart(
  'CHROMIUM',
  program === undefined ? 'no Chromium is installed: apt-get install chromium' : undefined,
)
const axe = skip ? '' : readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const pages = {
  assessment: () => auditHtml(fiveNodes()),
  run: () => reportHtml(runReport(stoppedRun())),
  targets: () => {
    const { metadata, targets, fit } = fiveNodes().assessment
    return targetsHtml({
      apiVersion: 'k3os-migrate/v1',
      kind: 'Targets',
      metadata,
      targets,
      refused: refusedTargets(),
      fit,
    })
  },
  comparison: async () =>
    comparisonHtml(
      (
        await comparison({
          nodes: [nodeFrom(everyKey)],
          unread: [{ name: 'n2', reason: 'connection refused' }],
          translators: await everyTranslator(),
          tools: templateTools(),
        })
      ).document,
    ),
}

interface Violation {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly html: string }[]
}

let folder: string
let page: Page
beforeAll(async () => {
  if (program === undefined) return
  folder = mkdtempSync(join(tmpdir(), 'pages-'))
  page = await openPage(program)
})
afterAll(async () => {
  if (program === undefined) return
  await page.close()
  rmSync(folder, { recursive: true })
})

describe.skipIf(skip).each(Object.keys(pages) as (keyof typeof pages)[])('the page of the %s', (name) => {
  let url: string

  beforeAll(async () => {
    const file = join(folder, `${name}.html`)
    writeFileSync(file, await pages[name]())
    url = pathToFileURL(file).href
  })

  const show = async (width: number, scheme: 'light' | 'dark') => {
    await page.send('Emulation.setDeviceMetricsOverride', {
      width,
      height: 900,
      deviceScaleFactor: 1,
      mobile: width < 600,
    })
    await page.send('Emulation.setEmulatedMedia', {
      features: [{ name: 'prefers-color-scheme', value: scheme }],
    })
    await page.open(url)
  }

  test('loads without a complaint, and nothing but itself', async () => {
    await show(1280, 'light')
    expect(page.complaints).toEqual([])
    expect(page.requests.filter((one) => one !== url)).toEqual([])
  })

  test.each([
    ['desktop', 1280, 'light'],
    ['desktop', 1280, 'dark'],
    ['phone', 390, 'light'],
    ['phone', 390, 'dark'],
  ] as const)('has nothing serious against it on a %s of %i px, %s', async (_, width, scheme) => {
    await show(width, scheme)
    await page.evaluate(axe)
    const violations = (await page.evaluate(
      'axe.run().then(({ violations }) => violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map(({ html }) => ({ html })) })))',
    )) as readonly Violation[]
    expect(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([])
  })

  test.each([1280, 390])('is not wider than a window of %i px', async (width) => {
    await show(width, 'light')
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
  })

  test('can be read and walked through without a mouse', async () => {
    await show(1280, 'light')
    const unreachable = await page.evaluate(
      `[...document.querySelectorAll('a[href]')].filter((a) => a.tabIndex < 0 || !document.querySelector(decodeURI(a.hash))).length`,
    )
    expect(unreachable).toBe(0)
    await page.send('Input.dispatchKeyEvent', {
      type: 'keyDown',
      key: 'Tab',
      code: 'Tab',
      windowsVirtualKeyCode: 9,
    })
    expect(await page.evaluate('document.activeElement.className')).toBe('skip')
    expect(await page.evaluate('document.activeElement.getBoundingClientRect().left')).toBeGreaterThanOrEqual(
      0,
    )
  })

  test('prints on A4, every page of the same size', async () => {
    await show(1280, 'light')
    const { data } = await page.send('Page.printToPDF', { preferCSSPageSize: true })
    const pdf = Buffer.from(String(data), 'base64').toString('latin1')
    const sizes = [...pdf.matchAll(/\/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)\s*\]/g)].map(
      ([, width, height]) => [Number(width), Number(height)].map(Math.round).join('x'),
    )
    expect(sizes.length).toBeGreaterThan(1)
    // 210 × 297 mm in points.
    expect([...new Set(sizes)]).toEqual([expect.stringMatching(/^59[56]x842$/)])
  })
})

test.skipIf(skip)('the first screen of the assessment holds all four answers', async () => {
  await page.send('Emulation.setDeviceMetricsOverride', {
    width: 1280,
    height: 900,
    deviceScaleFactor: 1,
    mobile: false,
  })
  await page.open(pathToFileURL(join(folder, 'assessment.html')).href)
  const tops = (await page.evaluate(
    `['leave', 'stops', 'risk', 'first'].map((id) => document.getElementById(id).getBoundingClientRect().bottom)`,
  )) as readonly number[]
  expect(Math.max(...tops)).toBeLessThan(900)
})
