/** What the auditor's document needs besides the styles of every report. */
export const auditCss = `
:root { --ok-fill: #dcefe2; --warn-fill: #fbe7c6; --bad-fill: #f8d7d4; --idle-fill: #e6e2d9; }
@media (prefers-color-scheme: dark) {
  :root { --ok-fill: #21412d; --warn-fill: #4d3a15; --bad-fill: #55221f; --idle-fill: #34322d; }
}
.kicker span { font-weight: 400; }
.answers { display: grid; grid-template-columns: 1fr 1.25fr 1.25fr; gap: 0 2rem; margin-top: 1.5rem; }
.answers .first { grid-column: 1 / -1; }
.answers section { border-top: 2px solid var(--ink); padding-top: .6rem; margin-bottom: 1.4rem; min-width: 0; }
.answers h2 { font: 600 1.02rem/1.3 var(--sans); border: 0; margin: 0 0 .5rem; padding: 0; }
.answers p, .answers li { font: .92rem/1.42 var(--sans); margin: 0 0 .3rem; overflow-wrap: anywhere; }
.answers ul, .answers ol { margin: 0; padding-left: 1.1rem; }
.answers pre { margin: .3rem 0 .7rem; font-size: .82rem; }
.answers + nav ul { margin-top: .5rem; }
.scroll { overflow-x: auto; }
.scroll:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem 1.3rem; padding: 0; margin: 0 0 1rem; font: .9rem/1.4 var(--sans); }
.legend li { display: flex; align-items: center; gap: .45rem; }
.matrix { display: block; max-width: none; margin-bottom: .5rem; font: 13px var(--sans); }
.matrix text { fill: var(--ink); }
.matrix rect, .legend rect { stroke-width: 1.2; }
.matrix path, .legend path { fill: none; stroke-width: 2.6; stroke-linecap: round; stroke-linejoin: round; }
.fit-fits rect { fill: var(--ok-fill); stroke: var(--ok-bar); } .fit-fits path { stroke: var(--ok); }
.fit-changes rect { fill: var(--warn-fill); stroke: var(--warn-bar); } .fit-changes path { stroke: var(--warn); }
.fit-not rect { fill: var(--bad-fill); stroke: var(--bad-bar); } .fit-not path { stroke: var(--bad); }
.fit-unknown rect { fill: var(--idle-fill); stroke: var(--idle-bar); } .fit-unknown path { stroke: var(--soft); }
.bar .estimate { fill: var(--idle-bar); }
.finding h4 { margin: 0 0 .2rem; }
table.nodes, table.config, table.data, table.fit, table.estimate, table.inputs, table.rules { table-layout: fixed; }
.config th:nth-child(1) { width: 27%; } .config th:nth-child(3) { width: 38%; }
.config .value { white-space: pre-wrap; }
.config td { padding-top: .28rem; padding-bottom: .28rem; font-size: .86rem; }
.nodes th:nth-child(1) { width: 20%; } .nodes th:nth-child(2) { width: 5.5rem; } .nodes th:nth-child(3) { width: 8rem; } .nodes th:nth-child(4) { width: 18%; } .nodes th:nth-child(6) { width: 6rem; }
.nodes .state { white-space: normal; }
.data th:nth-child(1) { width: 38%; } .data th:nth-child(2) { width: 5.5rem; } .data th:nth-child(3) { width: 20%; }
.fit th:nth-child(1) { width: 10.5rem; } .fit th:nth-child(2) { width: 32%; }
.estimate th:nth-child(1) { width: 11rem; } .estimate th:nth-child(2) { width: 5.5rem; }
.inputs th:nth-child(1) { width: 20%; } .inputs th:nth-child(2) { width: 30%; }
.rules th:nth-child(1) { width: 6rem; } .rules th:nth-child(3) { width: 4.5rem; } .rules th:nth-child(4) { width: 36%; }
.time .when { width: 34%; }
@media (max-width: 52rem) { .answers { grid-template-columns: 1fr; } }
@media (max-width: 40rem) {
  .estimate td:not(.number), .config td, .data td[data-label] { display: block; margin: 0; }
  .time td.when .bar { display: block; }
}
@media print {
  :root { --ok-fill: #e4f2e8; --warn-fill: #fbeed6; --bad-fill: #f9e1df; --idle-fill: #eee; --ok-bar: #4f9a6a; --warn-bar: #d09a3c; --bad-bar: #c9453f; --idle-bar: #a9a397; }
  article { break-before: page; }
  .answers { grid-template-columns: 1fr 1.2fr 1.2fr; gap: 0 1.2rem; }
  table { font-size: 9pt; }
  th { font-size: 8pt; }
  td { padding-top: .25rem; padding-bottom: .25rem; }
  .config td { font-size: 8pt; padding-top: .12rem; padding-bottom: .12rem; }
  dl { font-size: 9pt; gap: .15rem 1rem; }
  .nodes th:nth-child(2) { width: 4.6rem; } .nodes th:nth-child(3) { width: 7rem; } .nodes th:nth-child(6) { width: 5rem; }
  .legend { break-after: avoid; }
  .answers section, .matrix, .finding, .legend { break-inside: avoid; }
  .answers p, .answers li { font-size: 9.5pt; }
  .scroll { overflow: visible; }
  .matrix rect, .legend rect, .bar rect { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  footer { padding: 1rem 0 0; max-width: none; }
}
`
