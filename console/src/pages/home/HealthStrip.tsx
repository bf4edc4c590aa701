import CheckmarkFilled from '@carbon/icons-react/es/CheckmarkFilled.js'
import WarningAltFilled from '@carbon/icons-react/es/WarningAltFilled.js'
import { useQuery } from '@tanstack/react-query'
import { healthQuery } from '../../api/queries.ts'

/** Whether the platform and its parts are well. */
export function HealthStrip() {
  const { data: health, error } = useQuery(healthQuery)
  if (error !== null) {
    return (
      <p className="k-health k-health--bad" role="alert">
        <WarningAltFilled aria-hidden="true" /> The health of the platform cannot be read.
      </p>
    )
  }
  if (health === undefined) return <p className="k-health k-faint">Asking how the platform is…</p>
  const services = Object.entries(health.services)
  const isWell = health.status === 'healthy'
  return (
    <div className={isWell ? 'k-health' : 'k-health k-health--bad'}>
      <span className="k-health__all">
        {isWell ? <CheckmarkFilled aria-hidden="true" /> : <WarningAltFilled aria-hidden="true" />}
        {`Kyros ${health.version} is ${health.status}`}
      </span>
      {services.map(([name, { status, error: fault }]) => (
        <span key={name} className="k-health__service" title={fault ?? `${name} is ${status}`}>
          {status === 'healthy' ? (
            <CheckmarkFilled aria-hidden="true" className="k-good" />
          ) : (
            <WarningAltFilled aria-hidden="true" className="k-bad" />
          )}
          {name}
          {status !== 'healthy' && <strong>{status}</strong>}
        </span>
      ))}
    </div>
  )
}
