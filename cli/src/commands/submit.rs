//! `tickwheel submit HANDLER`: one context, now or for later.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tickwheel_api::answers::Submitted;
use tickwheel_core::routing::Units;
use tickwheel_core::{TimestampMs, bounds};
use tickwheel_proto::v1;
use tickwheel_proto::v1::submission::When;

use crate::commands::dedup::{DedupArgs, rejection};
use crate::commands::run::show_end;
use crate::failure::Failure;
use crate::global::{Global, duration, instant, json};

#[derive(Debug, Args)]
pub(crate) struct SubmitArgs {
    /// The handler that will run it; unknown to every worker is allowed, it then waits
    handler: String,
    /// The group of workers that offer the handler
    #[arg(long, default_value = "default")]
    group: String,
    /// What it belongs to: its dedup key is one of this namespace
    #[arg(long, default_value = "default")]
    namespace: String,
    /// Due this long from now
    #[arg(long, value_parser = duration, value_name = "DURATION", conflicts_with = "at")]
    delay: Option<Duration>,
    /// Due at this instant: 2026-03-29T02:30:00Z, or milliseconds since 1970
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    at: Option<TimestampMs>,
    /// The body
    #[arg(long, value_parser = json, value_name = "JSON", conflicts_with = "body_file")]
    body: Option<String>,
    /// A file with the body, of any form; - for standard input
    #[arg(long, value_name = "FILE")]
    body_file: Option<PathBuf>,
    #[command(flatten)]
    dedup: DedupArgs,
    /// 0 (lowest) to 4 (highest); orders what waits in the same partition, not over the whole cluster [default: 2]
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=4), value_name = "0..4")]
    priority: Option<u32>,
    /// How often it is tried again after a failure [default: 2]
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=999), value_name = "N")]
    retries: Option<u32>,
    /// Longest time for one attempt [default: none]
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    run_timeout: Option<Duration>,
    #[command(flatten)]
    placement: Placement,
    /// Wait until it has ended; exit code 1 if it did not succeed
    #[arg(long)]
    wait: bool,
}

/// Where it may run, and who takes it.
#[derive(Debug, Default, Args)]
struct Placement {
    /// Which of the workers that fit takes it: round_robin, least_running, failover, … [default: any]
    #[arg(long, value_name = "POLICY")]
    routing: Option<String>,
    /// consistent_hash: which value of the body is hashed, like /customer
    #[arg(long, value_name = "POINTER", requires = "routing")]
    routing_key: Option<String>,
    /// specified, failover, busy_transfer: a worker or host; may be repeated, in order
    #[arg(long, value_name = "WORKER", requires = "routing")]
    routing_list: Vec<String>,
    /// A condition over the tags of workers: region == "eu" && gpu
    #[arg(long, value_name = "CONDITION")]
    select: Option<String>,
    /// Only this worker or host; may be repeated
    #[arg(long, value_name = "WORKER")]
    allow: Vec<String>,
    /// Not this worker or host; may be repeated
    #[arg(long, value_name = "WORKER")]
    deny: Vec<String>,
    /// What it takes of its worker's resources: cpu=2, memory=1GiB, gpu=1; may be repeated
    #[arg(long, value_name = "NAME=AMOUNT")]
    resource: Vec<String>,
    /// It shares the permits of its group with other keys: a key, or where it is in the body, like /tenant
    #[arg(long, value_name = "KEY")]
    fairness_key: Option<String>,
    /// How often its key is served, beside keys of weight 1 [default: 1]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=64), value_name = "1..64", requires = "fairness_key")]
    fairness_weight: Option<u32>,
    /// At most so many workers at a time
    #[arg(long, value_name = "N")]
    max_workers: Option<u32>,
}

impl Placement {
    /// Puts it into the options.
    fn fill(self, options: &mut v1::ContextOptions) -> Result<(), Failure> {
        let routing = v1::Routing {
            policy: self.routing.unwrap_or_default(),
            key: self.routing_key.unwrap_or_default(),
            list: self.routing_list,
        };
        let workers = v1::WorkerSelection {
            select: self.select.unwrap_or_default(),
            allow: self.allow,
            deny: self.deny,
            max: self.max_workers,
        };
        let amounts = self.resource.iter().map(|text| {
            let (name, amount) = text.split_once('=').unwrap_or((text, ""));
            (name, amount.to_owned())
        });
        let resources =
            Units::parse(amounts).map_err(|wrong| Failure::usage(format!("--resource {wrong}")))?;
        options.fairness = self.fairness_key.map(|key| v1::Fairness {
            key,
            weight: self.fairness_weight,
        });
        options.routing = (routing != v1::Routing::default()).then_some(routing);
        options.workers = (workers != v1::WorkerSelection::default()).then_some(workers);
        options.resources = resources
            .iter()
            .map(|(name, amount)| (name.to_owned(), amount))
            .collect();
        Ok(())
    }
}

pub(crate) async fn run(global: &Global, args: SubmitArgs) -> Result<(), Failure> {
    let wait = args.wait;
    let submission = submission(args)?;
    let client = global.connect().await?;
    let answer = client.submit_all([submission]).await.map_err(|error| {
        Failure::from(error).map_places(|place| place.trim_start_matches("contexts[0].").to_owned())
    })?;
    let submitted = answer
        .into_iter()
        .next()
        .ok_or_else(|| Failure::broken("the tracker confirmed nothing"))?;
    let rejected = rejection(&submitted);
    if wait && rejected.is_none() {
        return show_end(global, &client, &submitted.id).await;
    }
    global.output.detail(&Submitted::from(submitted))?;
    rejected.map_or(Ok(()), Err)
}

fn submission(args: SubmitArgs) -> Result<v1::Submission, Failure> {
    let body = match &args.body_file {
        Some(path) => read_body(path)?,
        None => args.body.unwrap_or_default().into_bytes(),
    };
    let when = match (args.at, args.delay) {
        (Some(at), _) => When::AtMs(at.as_u64()),
        (None, delay) => When::DelayMs(ms(delay.unwrap_or_default())),
    };
    let mut options = v1::ContextOptions {
        priority: args.priority,
        retry: args.retries.map(retry),
        timeout_ms: args.run_timeout.map(ms),
        ..v1::ContextOptions::default()
    };
    args.placement.fill(&mut options)?;
    Ok(v1::Submission {
        namespace: args.namespace,
        group: args.group,
        handler: args.handler,
        body: body.into(),
        when: Some(when),
        options: Some(options),
        dedup_keep_ms: args.dedup.keep_ms(),
        dedup_reuse: args.dedup.reuse(),
        dedup_key: args.dedup.dedup_key,
    })
}

/// The default back-off with another number of attempts.
fn retry(retries: u32) -> v1::Retry {
    v1::Retry {
        max_attempts: retries + 1,
        delay_ms: 1_000,
        exponential: true,
        cap_ms: 60_000,
        full_jitter: true,
    }
}

/// Reads one byte more than is allowed, so that the tracker's answer about the limit is the one the user sees, without
/// reading a file of any size into memory.
fn read_body(path: &Path) -> Result<Vec<u8>, Failure> {
    let limit = u64::try_from(bounds::BODY_BYTES_MAX).unwrap_or(u64::MAX) + 1;
    let mut body = Vec::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().lock().take(limit).read_to_end(&mut body)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut body))
    };
    match read {
        Ok(_) if body.len() > bounds::BODY_BYTES_MAX => Err(Failure::usage(format!(
            "--body-file {}: is larger than {} KiB",
            path.display(),
            bounds::BODY_BYTES_MAX >> 10
        ))),
        Ok(_) => Ok(body),
        Err(e) => Err(Failure::usage(format!(
            "--body-file {}: cannot be read: {e}",
            path.display()
        ))),
    }
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::commands::{Cli, Command};

    fn parsed(line: &[&str]) -> Result<v1::Submission, Failure> {
        let cli = Cli::try_parse_from(["tickwheel", "submit"].iter().chain(line)).unwrap();
        let Command::Submit(args) = cli.command else {
            panic!("{line:?}");
        };
        submission(args)
    }

    #[test]
    fn flags_become_the_submission() {
        let s = parsed(&[
            "mail/send",
            "--delay",
            "1m30s",
            "--body",
            "{\"n\":9007199254740993}",
            "--retries",
            "0",
            "--priority",
            "4",
        ])
        .unwrap();
        assert_eq!(s.when, Some(When::DelayMs(90_000)));
        assert_eq!(s.body.as_ref(), b"{\"n\":9007199254740993}");
        let options = s.options.unwrap();
        assert_eq!(options.priority, Some(4));
        assert_eq!(options.retry.unwrap().max_attempts, 1);
        assert_eq!(s.group, "default");
    }

    #[test]
    fn flags_say_who_may_run_it() {
        let line = "encode --routing failover --routing-list a --routing-list b --select gpu --deny c --max-workers 2 --resource gpu=0.5";
        let s = parsed(&line.split(' ').collect::<Vec<_>>()).unwrap();
        let options = s.options.unwrap();
        let routing = options.routing.unwrap();
        assert_eq!(
            (routing.policy.as_str(), routing.list.len()),
            ("failover", 2)
        );
        let workers = options.workers.unwrap();
        assert_eq!((workers.select.as_str(), workers.max), ("gpu", Some(2)));
        assert_eq!(workers.deny, ["c"]);
        assert_eq!(options.resources.get("gpu"), Some(&500));
        let failure = parsed(&["encode", "--resource", "memory=much"]).unwrap_err();
        assert!(
            failure.to_string().contains("is a size above 0"),
            "{failure}"
        );
    }

    #[test]
    fn without_flags_it_is_due_at_once_with_the_defaults_of_the_tracker() {
        let s = parsed(&["noop"]).unwrap();
        assert_eq!(s.when, Some(When::DelayMs(0)));
        assert_eq!(s.options, Some(v1::ContextOptions::default()));
    }

    #[test]
    fn a_body_beyond_the_limit_is_refused_before_it_is_sent() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), vec![0; bounds::BODY_BYTES_MAX + 1]).unwrap();
        let failure = parsed(&["noop", "--body-file", file.path().to_str().unwrap()]).unwrap_err();
        assert!(failure.to_string().contains("256 KiB"), "{failure}");
        std::fs::write(file.path(), vec![0; bounds::BODY_BYTES_MAX]).unwrap();
        parsed(&["noop", "--body-file", file.path().to_str().unwrap()]).unwrap();
    }
}
