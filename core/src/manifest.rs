//! The declarative file of jobs: from its tree (YAML or JSON, parsed by the caller) to checked specs.
//!
//! All mistakes of a file are reported at once, each with a path like `jobs[2].trigger.cron`. Whether a job still has a
//! due time ahead depends on the clock and is checked by `JobSpec::validate` when it is registered.

mod job;
mod model;
mod options;
mod policy;
mod reader;
mod routing;
mod trigger;

use std::collections::BTreeMap;

use serde_json::Value;

use self::reader::Reader;
use crate::error::{Violation, Violations};
use crate::job::JobSpec;
use crate::limits::MANIFEST_JOBS_MAX;

/// Reads a manifest: a map with a list `jobs`, a list of jobs, or one job.
///
/// # Errors
/// All violations of the file.
pub fn parse_manifest(value: &Value) -> Result<Vec<JobSpec>, Violations> {
    let mut found = Violations::new();
    let jobs = match (value.as_object(), value.as_array()) {
        (Some(map), _) if map.contains_key("jobs") => {
            let mut reader = Reader::new(map, &mut found);
            let jobs = reader.get("jobs", |jobs| {
                let list = jobs.as_array();
                list.map(Vec::as_slice)
                    .ok_or_else(|| Violation::new("", "is a list of jobs", jobs))
            });
            reader.finish();
            read_list(jobs.unwrap_or_default(), &mut found)
        }
        (Some(_), _) => found.keep(job::read(value)).into_iter().collect(),
        (None, Some(list)) => read_list(list, &mut found),
        (None, None) => {
            found.add(
                "",
                "is a map with `jobs`, a list of jobs, or one job",
                value,
            );
            Vec::new()
        }
    };
    found.into_result().map(|()| jobs)
}

fn read_list(list: &[Value], found: &mut Violations) -> Vec<JobSpec> {
    if list.len() > MANIFEST_JOBS_MAX {
        found.add(
            "jobs",
            format!("has at most {MANIFEST_JOBS_MAX} jobs"),
            list.len(),
        );
        return Vec::new();
    }
    let mut jobs = Vec::with_capacity(list.len());
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for (index, value) in list.iter().enumerate() {
        let path = format!("jobs[{index}]");
        // The name counts even when the rest of the job is wrong.
        if let Some(name) = job::name_of(value) {
            match names.get(name.as_str()) {
                Some(earlier) => {
                    let rule = format!("is used once in a file; jobs[{earlier}] has it already");
                    found.add(format!("{path}.name"), rule, &name);
                }
                None => {
                    names.insert(name.as_str().to_owned(), index);
                }
            }
        }
        jobs.extend(found.keep(job::read(value).map_err(|wrong| wrong.prefix(&path))));
    }
    jobs
}

#[cfg(test)]
mod tests;
