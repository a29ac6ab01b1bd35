import { describe, expect, it } from 'vitest';
import { isFiltered, jobsSearch, withLabel, withoutLabel } from './search.ts';
import { descriptionOf, labelsOf, triggerOf, zoneOfSpec } from './spec.ts';
import { type JobPage, jobsOf } from './useJobs.ts';

describe('the address of the list', () => {
  it('has a prefix and labels, and nothing else', () => {
    expect(jobsSearch({ prefix: 'a/', label: ['team', 'team', 'tier=gold'], x: '1' })).toEqual({
      prefix: 'a/',
      label: ['team', 'tier=gold'],
    });
    expect(jobsSearch({ prefix: '', label: '' })).toEqual({});
    expect(isFiltered({})).toBe(false);
    expect(isFiltered({ label: ['a'] })).toBe(true);
  });

  it('gets a label once, and loses it', () => {
    const one = withLabel({ prefix: 'a' }, 'team');
    expect(withLabel(one, 'team')).toEqual({ prefix: 'a', label: ['team'] });
    expect(withoutLabel(one, 'team')).toEqual({ prefix: 'a' });
    expect(withoutLabel(withLabel(one, 'tier'), 'team')).toEqual({ prefix: 'a', label: ['tier'] });
  });
});

describe('a document', () => {
  const kind = (trigger: unknown) => triggerOf({ trigger });

  it('says when a job is due', () => {
    expect(kind({ cron: '0 2 * * *' })).toEqual({ kind: 'cron', text: '0 2 * * *', zone: 'UTC' });
    expect(kind({ fixed_rate: '3s' })).toEqual({ kind: 'every', text: '3s' });
    expect(kind({ fixed_rate: { every: '3s', anchor: 1 } })).toEqual({ kind: 'every', text: '3s' });
    expect(kind({ fixed_delay: '3s' })).toEqual({ kind: 'delay', text: '3s' });
    expect(kind({ once: 17 })).toEqual({ kind: 'once', text: '17' });
    expect(kind({ after: 'a/b' })).toEqual({ kind: 'after', text: 'a/b', on: 'succeeded' });
    expect(kind({ after: { job: 'a/b', on: 'failed' } })).toEqual({ kind: 'after', text: 'a/b', on: 'failed' });
    expect(kind('manual')).toEqual({ kind: 'manual' });
    expect(kind({ manual: {} })).toEqual({ kind: 'manual' });
  });

  it('of another shape is shown as it is', () => {
    expect(kind({ moon: 'full' })).toEqual({ kind: 'other', text: '{"moon":"full"}' });
    expect(triggerOf(undefined)).toEqual({ kind: 'other', text: '' });
    expect([descriptionOf(7), labelsOf({ labels: [1] }), zoneOfSpec(null)]).toEqual(['', [], undefined]);
  });

  it('has a zone that the browser knows, and labels', () => {
    expect(zoneOfSpec({ trigger: { cron: '@daily', time_zone: 'Europe/Berlin' } })).toBe('Europe/Berlin');
    expect(zoneOfSpec({ trigger: { cron: '@daily', time_zone: 'No/Where' } })).toBeUndefined();
    expect(labelsOf({ labels: { team: 'billing', hot: '' } })).toEqual(['team=billing', 'hot']);
  });
});

it('a job that is on two pages is one row', () => {
  const page = (...names: string[]) => ({ items: names.map((name) => ({ name })) }) as unknown as JobPage;
  expect(jobsOf([page('a', 'b'), page('b', 'c')]).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
});
