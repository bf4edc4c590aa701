import type { StepsByWorkflow } from '@kyros/engine/embedded/embedded-engine'
import type { CatalogueEntry } from '@kyros/workflows/catalogue'

/**
 * Stands in for the step implementations until one is used: the analyzers behind them take longer to load than the
 * whole server does to start.
 */
export function lazySteps(
  workflows: readonly CatalogueEntry[],
  load: () => Promise<StepsByWorkflow>,
): StepsByWorkflow {
  let loaded: Promise<StepsByWorkflow> | undefined
  const implementation = async (workflow: string, step: string) => {
    loaded ??= load()
    const found = (await loaded)[workflow]?.[step]
    if (found === undefined) throw new Error(`The worker does not implement ${workflow}.${step}.`)
    return found
  }
  return Object.fromEntries(
    workflows.map((workflow) => [
      workflow.name,
      Object.fromEntries(
        workflow.steps.map(({ name }): [string, StepsByWorkflow[string][string]] => [
          name,
          async (input, context) => (await implementation(workflow.name, name))(input, context),
        ]),
      ),
    ]),
  )
}
