import { Link } from '@tanstack/react-router';
import { pathName } from '../../api/names.ts';

/** The name of a job, which leads to it. */
export function JobLink({ name, className = 'mono untrusted' }: { name: string; className?: string }) {
  return (
    <Link to="/jobs/$job" params={{ job: pathName(name) }} className={className} title={name}>
      {name}
    </Link>
  );
}
