//! Reads job manifests: files, directories, standard input; YAML or JSON; one or more documents each.
//!
//! Everything is read and checked before anything is sent, and all mistakes of all files are reported together, each with
//! its file. A job may be defined once only, over all files.

mod numbers;
mod source;
mod unique;

use std::collections::HashMap;
use std::path::PathBuf;

use serde_json::Value;
use tickwheel_core::job::JobSpec;
use tickwheel_core::manifest::parse_manifest;

use crate::failure::{Failure, Mistake};
use source::Source;

/// Jobs in the order they were read, each with where it stands.
#[derive(Debug, Default)]
pub(crate) struct Manifest {
    pub(crate) jobs: Vec<JobSpec>,
    places: Vec<String>,
}

impl Manifest {
    /// Reads every path; `-` is standard input, a directory stands for its `*.yaml`, `*.yml` and `*.json`, sorted.
    ///
    /// # Errors
    /// Usage, with every mistake of every file.
    pub(crate) fn read(paths: &[PathBuf]) -> Result<Self, Failure> {
        let mut manifest = Self::default();
        let mut mistakes = Vec::new();
        for source in source::gather(paths, &mut mistakes) {
            manifest.add(&source, &mut mistakes);
        }
        manifest.refuse_duplicates(&mut mistakes);
        if !mistakes.is_empty() {
            return Err(invalid(mistakes));
        }
        if manifest.jobs.is_empty() {
            return Err(Failure::usage("no job is defined in what was given by -f"));
        }
        Ok(manifest)
    }

    /// Where the tracker found a mistake in a call with the jobs at these places, in terms of the files: `jobs[3].trigger` →
    /// `a.yaml: default/x: trigger`.
    pub(crate) fn place_of(&self, page: &[usize], field: &str) -> String {
        let parts = field
            .strip_prefix("jobs[")
            .and_then(|rest| rest.split_once(']'))
            .and_then(|(index, rest)| {
                let at = page.get(index.parse::<usize>().ok()?)?;
                Some((self.places.get(*at)?, rest))
            });
        match parts {
            Some((place, "")) => place.clone(),
            Some((place, rest)) => format!("{place}: {}", rest.trim_start_matches('.')),
            None => field.to_owned(),
        }
    }

    fn add(&mut self, source: &Source, mistakes: &mut Vec<Mistake>) {
        let documents = match source.documents() {
            Ok(documents) => documents,
            Err(rule) => {
                mistakes.push(Mistake::new(source.name.clone(), rule));
                return;
            }
        };
        let several = documents.len() > 1;
        for (number, document) in documents.iter().enumerate() {
            let place = if several {
                format!("{} (document {})", source.name, number + 1)
            } else {
                source.name.clone()
            };
            self.add_document(&place, document, mistakes);
        }
    }

    fn add_document(&mut self, place: &str, document: &Value, mistakes: &mut Vec<Mistake>) {
        match parse_manifest(document) {
            Ok(jobs) => {
                for job in jobs {
                    self.places.push(format!("{place}: {}", job.name));
                    self.jobs.push(job);
                }
            }
            Err(violations) => mistakes.extend(violations.into_iter().map(|v| Mistake {
                place: format!("{place}: {}", v.field),
                rule: v.rule,
                given: v.given,
            })),
        }
    }

    fn refuse_duplicates(&self, mistakes: &mut Vec<Mistake>) {
        let mut first: HashMap<String, &str> = HashMap::new();
        for (job, place) in self.jobs.iter().zip(&self.places) {
            match first.get(&job.name.to_string()) {
                Some(earlier) => mistakes.push(Mistake::new(
                    place.clone(),
                    format!("a job of this name is defined before, in {earlier}"),
                )),
                None => {
                    first.insert(job.name.to_string(), place);
                }
            }
        }
    }
}

fn invalid(mistakes: Vec<Mistake>) -> Failure {
    let message = match mistakes.len() {
        1 => "1 mistake; nothing was sent".to_owned(),
        n => format!("{n} mistakes; nothing was sent"),
    };
    Failure::invalid(message, mistakes)
}

#[cfg(test)]
mod tests;
