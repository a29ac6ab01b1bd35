//! `tickwheel job list` and `tickwheel job get`

use clap::Args;
use tickwheel_api::answers::Job;
use tickwheel_client::Client;
use tickwheel_core::Violation;
use tickwheel_core::labels::LabelSelector;
use tickwheel_proto::v1;

use super::name::NameArgs;
use crate::failure::Failure;
use crate::global::Global;
use crate::output::tell_unreadable;

const PAGE: u32 = 500;

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only names that start with this, say payments/
    #[arg(value_name = "PREFIX", default_value = "", hide_default_value = true)]
    prefix: String,
    /// At most this many
    #[arg(short = 'n', long, default_value_t = 1_000, value_name = "N")]
    limit: usize,
    #[command(flatten)]
    labels: LabelArgs,
}

/// By labels.
#[derive(Debug, Default, Args)]
pub(super) struct LabelArgs {
    /// Only jobs with this label, or this value of it (repeatable): team, team=billing
    #[arg(long, value_name = "NAME[=VALUE]", value_parser = selector)]
    label: Vec<LabelSelector>,
}

fn selector(text: &str) -> Result<LabelSelector, String> {
    text.parse().map_err(|wrong: Violation| wrong.rule)
}

pub(super) async fn run(global: &Global, args: ListArgs) -> Result<(), Failure> {
    let client = global.connect().await?;
    let (mut jobs, mut unreadable) = (Vec::new(), 0);
    let mut cursor = String::new();
    loop {
        let page = page(&client, &args.prefix, &args.labels, cursor).await?;
        unreadable += page.unreadable;
        jobs.extend(page.jobs.into_iter().map(Job::from));
        cursor = page.next_cursor;
        if cursor.is_empty() || jobs.len() >= args.limit {
            break;
        }
    }
    jobs.truncate(args.limit);
    tell_unreadable(unreadable);
    global.output.list(&jobs)
}

async fn page(
    client: &Client,
    prefix: &str,
    labels: &LabelArgs,
    cursor: String,
) -> Result<v1::ListJobsResponse, Failure> {
    let request = v1::ListJobsRequest {
        prefix: prefix.to_owned(),
        page_size: PAGE,
        cursor,
        labels: labels.label.iter().map(ToString::to_string).collect(),
    };
    Ok(client.list_jobs(request).await?)
}

/// Hands over every job whose name starts with `prefix`, and whose labels are so.
pub(super) async fn each(
    client: &Client,
    prefix: &str,
    labels: &LabelArgs,
    mut take: impl FnMut(v1::Job),
) -> Result<(), Failure> {
    let mut cursor = String::new();
    loop {
        let page = page(client, prefix, labels, cursor).await?;
        page.jobs.into_iter().for_each(&mut take);
        cursor = page.next_cursor;
        if cursor.is_empty() {
            return Ok(());
        }
    }
}

/// Their names.
pub(crate) async fn names(client: &Client, prefix: &str) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    each(client, prefix, &LabelArgs::default(), |job| {
        names.push(job.spec.unwrap_or_default().name);
    })
    .await?;
    Ok(names)
}

pub(super) async fn get(global: &Global, args: NameArgs) -> Result<(), Failure> {
    let client = global.connect().await?;
    let job = client.get_job(&args.name).await?;
    global.output.detail(&Job::from(job))
}
