/**
 * The look of the report: a printed record that can also be read on a phone. Text in the reader's own serif, data in
 * columns of a sans serif, colour only where it says a state, and never alone.
 */
export const reportCss = `
:root {
  color-scheme: light dark;
  --paper: #fdfcfa; --ink: #1d1c1a; --soft: #5f5b54; --line: #dcd7cd; --panel: #f4f1ea;
  --ok: #1e6b3a; --warn: #8a5200; --bad: #a3201d; --link: #1f4e8c;
  --ok-bar: #4f9a6a; --warn-bar: #d09a3c; --bad-bar: #c9453f; --idle-bar: #a9a397;
  --serif: Charter, 'Bitstream Charter', 'Sitka Text', Cambria, Georgia, 'Liberation Serif', serif;
  --sans: system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif;
  --mono: ui-monospace, 'SF Mono', Menlo, Consolas, 'Liberation Mono', monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #191816; --ink: #e9e5dd; --soft: #a8a297; --line: #3b3832; --panel: #24221e;
    --ok: #7fc796; --warn: #e5b062; --bad: #f08b84; --link: #8fb8ee;
    --ok-bar: #4d8f65; --warn-bar: #b07f2c; --bad-bar: #c9534d; --idle-bar: #5f5b53;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 var(--serif); }
main, footer { max-width: 60rem; margin: 0 auto; padding: 0 1.5rem; }
main { padding-top: 3.5rem; }
h1, h2, h3 { font-weight: 600; line-height: 1.2; text-wrap: balance; overflow-wrap: anywhere; }
h1 { font-size: clamp(1.9rem, 1.3rem + 2.6vw, 2.9rem); letter-spacing: -.015em; margin: .3rem 0 .8rem; }
h2 { font-size: 1.5rem; margin: 3.5rem 0 1rem; padding-top: 1rem; border-top: 2px solid var(--ink); }
h3 { font: 600 .78rem/1.3 var(--sans); letter-spacing: .07em; text-transform: uppercase; color: var(--soft); margin: 2rem 0 .6rem; }
p { margin: 0 0 1rem; max-width: 42rem; overflow-wrap: anywhere; }
a { color: var(--link); text-underline-offset: .15em; }
a:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
code, pre { font-family: var(--mono); font-size: .9em; overflow-wrap: anywhere; }
.kicker { font: 600 .82rem/1.4 var(--sans); color: var(--soft); margin: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; }
.kicker .state { font-size: inherit; }
.lead { font-size: 1.15rem; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--paper); padding: .5rem; }
.next { border-left: 4px solid var(--ink); background: var(--panel); padding: .8rem 1rem; margin: 1.5rem 0; }
.next p { font: 600 .82rem/1.4 var(--sans); margin: 0 0 .3rem; }
pre { margin: .4rem 0; padding: .6rem .8rem; background: var(--panel); white-space: pre-wrap; line-height: 1.45; border-radius: 3px; }
.next pre { padding: 0; background: none; font-size: .92rem; }
nav ul { list-style: none; padding: 0; margin: 2rem 0 0; display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; font: .9rem/1.4 var(--sans); }
dl { display: grid; grid-template-columns: 8.5rem 1fr; gap: .35rem 1.5rem; margin: 0; font: .92rem/1.45 var(--sans); }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font: .92rem/1.45 var(--sans); font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding-bottom: .4rem; }
th { text-align: left; font-weight: 600; font-size: .78rem; color: var(--soft); border-bottom: 1px solid var(--ink); padding: .3rem .8rem .3rem 0; white-space: nowrap; }
td { vertical-align: top; border-bottom: 1px solid var(--line); padding: .45rem .8rem .45rem 0; overflow-wrap: anywhere; }
th:last-child, td:last-child { padding-right: 0; }
td.number, th.number { text-align: right; white-space: nowrap; }
td .sub { color: var(--soft); font-size: .92em; }
td .sub + .sub { margin-top: .15rem; }
.ok { color: var(--ok); } .warn { color: var(--warn); } .bad { color: var(--bad); } .dim { color: var(--soft); }
.state { font: 600 .92rem/1.3 var(--sans); white-space: nowrap; }
.state::before { content: ''; display: inline-block; width: .62em; height: .62em; border-radius: 50%; background: currentColor; margin-right: .45em; }
.state.warn::before { border-radius: 0; } .state.bad::before { border-radius: 0; transform: rotate(45deg); }
.state.dim::before { background: none; border: 1.5px solid currentColor; }
td strong { display: inline-block; }
.try { font: 600 .92rem/1.4 var(--sans); margin: 1.4rem 0 .3rem; display: flex; flex-wrap: wrap; gap: .1rem 1rem; }
article > header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .2rem 1rem; }
article h2 { flex: 1 0 100%; margin-bottom: .2rem; }
.bar { display: block; width: 100%; height: .7rem; margin-top: .35rem; background: var(--panel); }
.bar rect { fill: var(--idle-bar); } .bar .done { fill: var(--ok-bar); } .bar .failed { fill: var(--bad-bar); } .bar .undone { fill: var(--warn-bar); }
table.steps, table.proof { table-layout: fixed; }
.steps th:nth-child(2) { width: 7.5rem; } .steps th:nth-child(3) { width: 24%; } .steps th:nth-child(4) { width: 6.5rem; }
.proof th:nth-child(1) { width: 22%; } .proof th:nth-child(4) { width: 26%; }
.proof .state { white-space: normal; font-weight: 400; }
.finding { margin: 0 0 1.6rem; padding-left: 1rem; border-left: 4px solid var(--line); break-inside: avoid; }
.finding.bad { border-color: var(--bad-bar); color: inherit; } .finding.warn { border-color: var(--warn-bar); color: inherit; }
.finding h3, .finding h4 { font: 600 1.02rem/1.35 var(--serif); letter-spacing: 0; text-transform: none; color: var(--ink); margin: 0 0 .2rem; overflow-wrap: anywhere; }
.finding p { margin-bottom: .4rem; }
.finding .meta { font: .82rem/1.4 var(--sans); color: var(--soft); margin-bottom: .5rem; }
footer { overflow-wrap: anywhere; font: .82rem/1.5 var(--sans); color: var(--soft); padding-top: 3rem; padding-bottom: 3rem; }
@media (max-width: 40rem) {
  main, footer { padding-left: 1.1rem; padding-right: 1.1rem; }
  main { padding-top: 2rem; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .55rem; }
  table, tbody, tr, td { display: block; width: auto; }
  thead { position: absolute; left: -999rem; }
  tr { border-bottom: 1px solid var(--line); padding: .6rem 0; }
  td, td.number { border: 0; padding: .1rem 0; text-align: left; white-space: normal; }
  td[data-label]::before { content: attr(data-label) ': '; color: var(--soft); }
  td[data-label] { display: inline-block; margin-right: 1.2rem; }
  .proof td[data-label] { display: block; margin: 0; }
  td.when .bar { display: none; }
}
@media print {
  :root { --paper: #fff; --ink: #000; --soft: #444; --line: #bbb; --panel: #f3f3f3; --ok: #14532d; --warn: #713f00; --bad: #8b1512; }
  @page { size: A4; margin: 18mm 16mm; }
  body { font-size: 10pt; }
  main { padding: 0; max-width: none; }
  nav, .skip { display: none; }
  h2 { margin-top: 1.6rem; }
  h2, h3, thead { break-after: avoid; }
  tr, .next { break-inside: avoid; }
  .bar, .bar rect, .state::before { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  a { color: inherit; text-decoration: none; }
}
`
