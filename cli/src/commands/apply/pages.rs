//! The jobs of a manifest in calls of a bounded size. Jobs that follow each other stay in one call, so that each is checked with those it
//! names; where there are several calls, all are checked before the first one writes.

use std::collections::HashMap;

use prost::Message as _;
use tickwheel_core::job::{JobSpec, Trigger};
use tickwheel_proto::v1;

use crate::failure::Failure;

/// Jobs of one call.
pub(super) const JOBS_MAX: usize = 1_000;
/// Bytes of one call; a tracker takes 4 MiB.
const BYTES_MAX: usize = 3 << 20;

/// Places of jobs, of one call each.
///
/// # Errors
/// Usage, when more jobs follow each other than one call takes.
pub(super) fn pages(jobs: &[JobSpec]) -> Result<Vec<Vec<usize>>, Failure> {
    let mut pages: Vec<(Vec<usize>, usize)> = Vec::new();
    for family in families(jobs) {
        let specs = family.iter().filter_map(|at| jobs.get(*at));
        let bytes: usize = specs
            .map(|spec| v1::JobSpec::from(spec).encoded_len() + 8)
            .sum();
        if family.len() > JOBS_MAX || (bytes > BYTES_MAX && family.len() > 1) {
            let first = family.first().and_then(|at| jobs.get(*at));
            let name = first.map_or_else(String::new, |spec| spec.name.to_string());
            return Err(Failure::usage(format!(
                "{} jobs follow each other ({name} is one of them), {bytes} bytes together: at most {JOBS_MAX} jobs and {BYTES_MAX} bytes of them \
                 can be applied; split the chain by applying its upstream jobs first",
                family.len()
            )));
        }
        match pages.last_mut() {
            Some((page, sum))
                if page.len() + family.len() <= JOBS_MAX && *sum + bytes <= BYTES_MAX =>
            {
                page.extend(family);
                *sum += bytes;
            }
            _ => pages.push((family, bytes)),
        }
    }
    Ok(pages.into_iter().map(|(page, _)| page).collect())
}

/// Jobs that follow each other, directly or over others, by the place of the first of each.
fn families(jobs: &[JobSpec]) -> Vec<Vec<usize>> {
    let places: HashMap<&str, usize> = jobs
        .iter()
        .enumerate()
        .map(|(at, spec)| (spec.name.as_str(), at))
        .collect();
    let mut heads: Vec<usize> = (0..jobs.len()).collect();
    for (at, spec) in jobs.iter().enumerate() {
        let Trigger::After { job, .. } = &spec.trigger else {
            continue;
        };
        if let Some(upstream) = places.get(job.as_str()) {
            let (one, other) = (head_of(&mut heads, at), head_of(&mut heads, *upstream));
            if let Some(head) = heads.get_mut(one.max(other)) {
                *head = one.min(other);
            }
        }
    }
    let mut families: Vec<Vec<usize>> = Vec::new();
    let mut known: HashMap<usize, usize> = HashMap::new();
    for at in 0..jobs.len() {
        let head = head_of(&mut heads, at);
        let family = *known.entry(head).or_insert_with(|| {
            families.push(Vec::new());
            families.len() - 1
        });
        if let Some(family) = families.get_mut(family) {
            family.push(at);
        }
    }
    families
}

/// The least place of a family; what lies on the way is shortened.
fn head_of(heads: &mut [usize], mut at: usize) -> usize {
    while let Some(next) = heads.get(at).copied().filter(|next| *next != at) {
        let further = heads.get(next).copied().unwrap_or(next);
        if let Some(head) = heads.get_mut(at) {
            *head = further;
        }
        at = further;
    }
    at
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tickwheel_core::manifest::read_job;

    use super::*;

    fn jobs(of: impl Iterator<Item = Value>) -> Vec<JobSpec> {
        of.map(|job| read_job(&job).unwrap()).collect()
    }

    fn alone(number: usize) -> Value {
        json!({ "name": format!("j{number}"), "handler": "h", "trigger": "manual" })
    }

    fn after(number: usize, upstream: usize) -> Value {
        json!({ "name": format!("j{number}"), "handler": "h", "trigger": { "after": format!("j{upstream}") } })
    }

    #[test]
    fn ten_thousand_jobs_are_ten_calls() {
        let pages = pages(&jobs((0..10_000).map(alone))).unwrap();
        assert_eq!(pages.len(), 10);
        let all: Vec<usize> = pages.concat();
        assert_eq!(all, (0..10_000).collect::<Vec<_>>());
    }

    #[test]
    fn jobs_that_follow_each_other_stay_together() {
        // The last one leads the first one, and 998 others stand between.
        let mut many: Vec<Value> = vec![after(0, 1_500)];
        many.extend((1..1_500).map(alone));
        many.push(alone(1_500));
        let specs = jobs(many.into_iter());
        let pages = pages(&specs).unwrap();
        assert_eq!(pages.len(), 2);
        assert!(pages[0].contains(&0) && pages[0].contains(&1_500));
        assert_eq!(pages.concat().len(), 1_501);
    }

    #[test]
    fn a_chain_longer_than_a_call_is_said_to_be_so() {
        let mut chain = vec![alone(0)];
        chain.extend((1..=JOBS_MAX).map(|number| after(number, number - 1)));
        let wrong = pages(&jobs(chain.into_iter())).unwrap_err().to_string();
        assert!(wrong.contains("1001 jobs follow each other"), "{wrong}");
    }

    #[test]
    fn large_bodies_make_small_calls() {
        let large = |number| json!({ "name": format!("j{number}"), "handler": "h", "trigger": "manual", "body": "x".repeat(200_000) });
        let pages = pages(&jobs((0..40).map(large))).unwrap();
        assert_eq!(pages.len(), 3);
    }
}
