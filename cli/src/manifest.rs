//! Reads documents: files, directories, standard input; YAML or JSON; one or more documents each.
//!
//! Everything is read and checked before anything is sent, and all mistakes of all files are reported together, each with
//! its file. A job, or the limits of a group, may be defined once only, over all files.

mod numbers;
mod source;

use std::collections::HashMap;
use std::path::PathBuf;

use serde_json::Value;
use tickwheel_core::job::JobSpec;
use tickwheel_core::manifest::{Document, LimitsSpec, parse_documents};

use crate::failure::{Failure, Mistake};
pub(crate) use source::{BYTES_MAX, NODES_MAX, Source};

/// Jobs and limits in the order they were read, each with where it stands.
#[derive(Debug, Default)]
pub(crate) struct Manifest {
    pub(crate) jobs: Vec<JobSpec>,
    /// Of the jobs.
    places: Vec<String>,
    pub(crate) limits: Vec<LimitsSpec>,
    limit_places: Vec<String>,
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
        if manifest.jobs.is_empty() && manifest.limits.is_empty() {
            return Err(Failure::usage("nothing is defined in what was given by -f"));
        }
        Ok(manifest)
    }

    /// The same, which has jobs.
    ///
    /// # Errors
    /// Usage, when it has none.
    pub(crate) fn of_jobs(self) -> Result<Self, Failure> {
        if self.jobs.is_empty() {
            return Err(Failure::usage("no job is defined in what was given by -f"));
        }
        Ok(self)
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
        match parse_documents(document) {
            Ok(documents) => documents
                .into_iter()
                .for_each(|document| self.keep(place, document)),
            Err(violations) => mistakes.extend(violations.into_iter().map(|v| Mistake {
                place: format!("{place}: {}", v.field),
                rule: v.rule,
                given: v.given,
            })),
        }
    }

    fn keep(&mut self, place: &str, document: Document) {
        let place = format!("{place}: {}", document.name());
        match document {
            Document::Job(spec) => {
                self.places.push(place);
                self.jobs.push(*spec);
            }
            Document::Limits(spec) => {
                self.limit_places.push(place);
                self.limits.push(*spec);
            }
        }
    }

    fn refuse_duplicates(&self, mistakes: &mut Vec<Mistake>) {
        let jobs = self.jobs.iter().map(|spec| spec.name.as_str());
        let groups = self.limits.iter().map(|spec| spec.group.as_str());
        let jobs = jobs.zip(&self.places);
        let groups = groups.zip(&self.limit_places);
        refuse_second(jobs, "a job of this name is", mistakes);
        refuse_second(groups, "the limits of this group are", mistakes);
    }
}

fn refuse_second<'a>(
    named: impl Iterator<Item = (&'a str, &'a String)>,
    what: &str,
    mistakes: &mut Vec<Mistake>,
) {
    let mut first: HashMap<&str, &String> = HashMap::new();
    for (name, place) in named {
        if let Some(earlier) = first.get(name) {
            let rule = format!("{what} defined before, in {earlier}");
            mistakes.push(Mistake::new(place.clone(), rule));
        } else {
            first.insert(name, place);
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
