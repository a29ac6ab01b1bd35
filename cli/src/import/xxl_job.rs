//! The table `xxl_job_info` of xxl-job, as a dump in SQL or as CSV: each row becomes a job, and children follow their parents.

mod dump;
mod followers;
mod job;
mod lists;
mod row;
mod schedule;
mod table;
mod token;
mod words;

use super::draft::Draft;
use super::names::Names;
use super::settings::Settings;

/// Reads at most `most` rows.
pub(super) fn read(text: &str, settings: &Settings, most: usize) -> Vec<Draft> {
    let rows = if table::is_csv(text) {
        table::rows(text, most)
    } else {
        dump::rows(text, most)
    };
    let mut names = Names::default();
    let mut jobs: Vec<job::Job> = Vec::with_capacity(rows.found.len());
    for row in rows.found {
        jobs.push(job::convert(row, &rows.groups, settings, &mut names));
    }
    followers::connect(&mut jobs, settings.now);
    jobs.into_iter().map(|job| job.draft).collect()
}
