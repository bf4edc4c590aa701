import { defineWorkflow } from '../define.ts'
import type { CodeAnalysisInput } from './input.ts'
import type { AnalysisArea, CodeAnalysisSteps, GenerateReportOutput, RunAnalysisOutput } from './steps.ts'

const minuteMs = 60_000

/** Fetches a repository, runs the chosen analyses side by side and writes one report. */
export const workflow = defineWorkflow<CodeAnalysisSteps>()({
  name: 'code_analysis',
  version: '1.0.0',
  stepDefaults: {
    FetchCode: { queue: 'cpu', startToCloseMs: 15 * minuteMs },
    RunStaticAnalysis: { queue: 'cpu', startToCloseMs: 20 * minuteMs },
    RunSecurityAnalysis: { queue: 'cpu', startToCloseMs: 20 * minuteMs },
    RunPerformanceAnalysis: { queue: 'cpu', startToCloseMs: 20 * minuteMs },
    GenerateReport: { queue: 'cpu', startToCloseMs: 5 * minuteMs },
  },
  run: async (context, input: CodeAnalysisInput): Promise<GenerateReportOutput> => {
    const { step } = context
    const fetched = await step.FetchCode({
      repository: input.repository,
      ...(input.branch === undefined ? {} : { branch: input.branch }),
      ...(input.path === undefined ? {} : { path: input.path }),
    })
    const analyse: { [area in AnalysisArea]: () => Promise<RunAnalysisOutput> } = {
      static: () => step.RunStaticAnalysis({ fetched }),
      security: () => step.RunSecurityAnalysis({ fetched }),
      performance: () => step.RunPerformanceAnalysis({ fetched }),
    }
    // Report order, not the order of the input: the same areas give the same report.
    const all: AnalysisArea[] = ['static', 'security', 'performance']
    const areas = all.filter((area) => input.types?.includes(area) ?? true)
    const analyses = await Promise.all(areas.map((area) => analyse[area]()))
    return step.GenerateReport({ fetched, analyses })
  },
})
