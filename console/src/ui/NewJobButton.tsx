import Add from '@carbon/icons-react/es/Add.js'
import { Button } from '@carbon/react'
import { Link } from '@tanstack/react-router'
import { useRights } from '../api/useRights.ts'

/** Leads to the form for a new job; nothing for those who may only look. */
export function NewJobButton({ label = 'New job' }: { label?: string }) {
  const { mayCreate } = useRights()
  if (!mayCreate) return null
  return (
    <Button as={Link} to="/jobs/new" renderIcon={Add} size="md">
      {label}
    </Button>
  )
}
