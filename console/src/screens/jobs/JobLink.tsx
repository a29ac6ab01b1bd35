import { Link } from '@tanstack/react-router';

/** The name of a job, which leads to it. */
export function JobLink({ name, className = 'mono untrusted' }: { name: string; className?: string }) {
  return (
    <Link to="/runs" search={{ job: name }} className={className} title={name}>
      {name}
    </Link>
  );
}
