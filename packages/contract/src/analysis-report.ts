import { type Static, Type } from 'typebox'

/** Most severe first. */
export const severities = ['critical', 'high', 'medium', 'low', 'info'] as const
export const AnalysisSeverity = Type.Enum(severities)
export type AnalysisSeverity = (typeof severities)[number]

export const reportAreas = ['static', 'security', 'performance'] as const
export const ReportArea = Type.Enum(reportAreas)
export type ReportArea = (typeof reportAreas)[number]

/** A report never holds more findings than this; `totals` count all of them. */
export const maxReportFindings = 5_000

export const AnalysisFinding = Type.Object({
  id: Type.String({ description: 'The same in every report for the same fault in the same place' }),
  area: ReportArea,
  severity: AnalysisSeverity,
  rule: Type.String({ description: 'Such as `security/command-injection`' }),
  title: Type.String(),
  message: Type.String(),
  file: Type.String({
    description: 'Relative to the repository, with forward slashes; bytes that are not UTF-8 as \\xNN',
  }),
  line: Type.Integer({ minimum: 1 }),
  end_line: Type.Optional(Type.Integer({ minimum: 1 })),
  column: Type.Optional(Type.Integer({ minimum: 1, description: 'In UTF-16 code units' })),
  fix_hint: Type.String({ description: 'What to do about it, in one or two sentences' }),
  snippet: Type.Object({
    start_line: Type.Integer({ minimum: 1 }),
    lines: Type.Array(Type.String(), { description: 'Long lines are cut; secrets are masked' }),
  }),
})
export type AnalysisFinding = Static<typeof AnalysisFinding>

export const SeverityCounts = Type.Object({
  critical: Type.Integer(),
  high: Type.Integer(),
  medium: Type.Integer(),
  low: Type.Integer(),
  info: Type.Integer(),
})
export type SeverityCounts = Static<typeof SeverityCounts>

export const AreaScore = Type.Object({
  score: Type.Union([Type.Number({ minimum: 0, maximum: 100 }), Type.Null()], {
    description: 'Null when nothing could be analysed: no finding is then no praise',
  }),
  why: Type.Optional(Type.String({ description: 'Why there is no score' })),
  formula: Type.String({ description: 'How the score comes out of the inputs, for a person to check' }),
  inputs: Type.Record(Type.String(), Type.Number()),
})
export type AreaScore = Static<typeof AreaScore>

export const AnalysisReport = Type.Object({
  version: Type.Literal(1),
  repository: Type.String(),
  commit: Type.String(),
  branch: Type.Optional(Type.String()),
  path: Type.Optional(Type.String()),
  types: Type.Array(ReportArea),
  scores: Type.Object({
    static: Type.Optional(AreaScore),
    security: Type.Optional(AreaScore),
    performance: Type.Optional(AreaScore),
    overall: AreaScore,
  }),
  totals: Type.Object({
    files: Type.Integer(),
    lines: Type.Integer(),
    bytes: Type.Integer(),
    files_unread: Type.Optional(
      Type.Integer({ description: 'There, but not read or not analysed; `skipped` says why' }),
    ),
    findings: Type.Integer(),
    findings_cut: Type.Integer({ description: 'Found and counted, but not listed below' }),
    counts: SeverityCounts,
  }),
  languages: Type.Record(Type.String(), Type.Object({ files: Type.Integer(), lines: Type.Integer() })),
  metrics: Type.Record(Type.String(), Type.Record(Type.String(), Type.Number())),
  findings: Type.Array(AnalysisFinding, { maxItems: maxReportFindings }),
  tools: Type.Array(
    Type.Object({ area: ReportArea, name: Type.String(), version: Type.String(), files: Type.Integer() }),
  ),
  skipped: Type.Array(
    Type.Object({
      area: Type.Union([Type.Literal('fetch'), ReportArea]),
      what: Type.String(),
      why: Type.String(),
      count: Type.Optional(Type.Integer()),
    }),
  ),
})
export type AnalysisReport = Static<typeof AnalysisReport>
