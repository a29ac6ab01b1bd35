//! The worker that needs no program: with the demo handlers, the handler `http`, or both.

use std::time::Duration;

use tickwheel_http_handler::HttpHandler;
use tickwheel_worker::{Credential, RunningWorker, Trust, Worker};

use super::demo::demo_handlers;
use super::lateness::Lateness;
use crate::config::{Config, WorkerSection};
use crate::failure::Failure;

/// A stop should not take longer than a person waits. A call that takes longer is given back, and another worker makes it again.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Starts the worker; its demo handlers note in `lateness` when they began.
pub(crate) fn builtin_worker(
    config: &Config,
    lateness: &Lateness,
) -> Result<RunningWorker, Failure> {
    let wrong = |error: String| Failure::usage(format!("the worker does not start: {error}"));
    let section = &config.worker;
    let mut builder = Worker::builder(section.tracker_url.as_str())
        .group(section.group.as_str())
        .name(section.name.as_str())
        .concurrency(section.permits)
        .credential(credential(section))
        .token_hosts(token_hosts(section))
        .trust(trust(section))
        .drain_timeout(DRAIN_TIMEOUT);
    if section.handlers.demo {
        builder = demo_handlers(builder, lateness);
    }
    if section.handlers.http {
        let handler = HttpHandler::new(config.http_handler.guard());
        let handler = handler.map_err(|error| wrong(error.to_string()))?;
        builder = builder.handler(HttpHandler::NAME, handler);
    }
    builder.start().map_err(|error| wrong(error.to_string()))
}

/// The token of the section, else that of the environment.
fn credential(section: &WorkerSection) -> Credential {
    if section.token_file.is_empty() {
        return Credential::of_variables(|name| std::env::var(name).ok());
    }
    Credential::File(section.token_file.as_str().into())
}

/// Who vouches for its trackers, and who it is to them: as the section says, else the environment.
pub(crate) fn trust(section: &WorkerSection) -> Trust {
    let mut trust = Trust::default();
    if !section.ca_file.is_empty() {
        trust = trust.ca_file(section.ca_file.as_str());
    }
    if !section.client_cert.is_empty() {
        trust = trust.client_cert(section.client_cert.as_str());
    }
    if !section.client_key.is_empty() {
        trust = trust.client_key(section.client_key.as_str());
    }
    trust.or(Trust::of_variables(|name| std::env::var(name).ok()))
}

fn token_hosts(section: &WorkerSection) -> impl Iterator<Item = &str> {
    let hosts = section.token_hosts.split(',').map(str::trim);
    hosts.filter(|host| !host.is_empty())
}
