//! `tickwheel limit …`: how much of a group runs at once and starts per time, in the whole cluster.

use std::collections::HashMap;

use clap::{Args, Subcommand};
use tickwheel_api::answers::Limits;
use tickwheel_core::limits::{GroupLimits, Limit, Rate};
use tickwheel_core::manifest::{Defaults, LimitsSpec, Written, write_limits};
use tickwheel_core::{Violation, Violations};
use tickwheel_proto::v1;

use crate::failure::Failure;
use crate::global::Global;
use crate::output::tell_unreadable;

#[derive(Debug, Subcommand)]
pub(crate) enum LimitCommand {
    /// Give a group its limits, in place of those that it had
    Set(SetArgs),
    /// Take a group's limits away
    Remove(RemoveArgs),
    /// Print a group's limits as a document that can be applied again
    Get(GetArgs),
    /// List the groups with limits, with what runs and waits
    List,
}

#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// The group
    group: String,
    /// Contexts of it that run at once; 0 holds all of them back
    #[arg(long, value_name = "N")]
    concurrency: Option<u32>,
    /// Contexts of it that start: 100/s, 5/10m
    #[arg(long, value_parser = rate, value_name = "RATE")]
    rate: Option<Rate>,
    /// Starts that gather while nothing starts [default: those of one period]
    #[arg(long, value_name = "N", requires = "rate")]
    burst: Option<u32>,
    /// Contexts of each fairness key that run at once
    #[arg(long, value_name = "N")]
    key_concurrency: Option<u32>,
    /// Contexts of each fairness key that start
    #[arg(long, value_parser = rate, value_name = "RATE")]
    key_rate: Option<Rate>,
    /// One key's own limits instead: acme=20, acme=20,50/s or acme=- for none; may be repeated
    #[arg(long, value_name = "KEY=LIMITS")]
    key: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// The group
    group: String,
}

#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// The group
    group: String,
}

fn rate(text: &str) -> Result<Rate, String> {
    Rate::parse(text).map_err(|wrong| wrong.rule)
}

/// `<key>=<limit>[,<limit>]`, each a number, a rate, or `-`.
fn own_limit(text: &str) -> Result<(String, Limit), Failure> {
    let wrong = |rule: &str| Failure::usage(format!("--key {rule} (given: {text})"));
    let (key, limits) = text
        .split_once('=')
        .ok_or_else(|| wrong("is a key, `=` and its limits"))?;
    let mut limit = Limit::default();
    for part in limits.split(',').filter(|part| *part != "-") {
        if let Ok(concurrency) = part.parse() {
            limit.concurrency = Some(concurrency);
        } else {
            let rate = Rate::parse(part);
            limit.rate = Some(rate.map_err(|_| wrong("has limits like 20, 50/s or -"))?);
        }
    }
    Ok((key.to_owned(), limit))
}

fn limits_of(args: &SetArgs) -> Result<GroupLimits, Failure> {
    let keys: Result<HashMap<_, _>, _> = args.key.iter().map(|text| own_limit(text)).collect();
    Ok(GroupLimits {
        all: Limit {
            concurrency: args.concurrency,
            rate: args.rate.map(|rate| Rate {
                burst: args.burst.unwrap_or(rate.burst),
                ..rate
            }),
        },
        per_key: Limit {
            concurrency: args.key_concurrency,
            rate: args.key_rate,
        },
        keys: keys?.into_iter().collect(),
    })
}

fn document(group: &str, own: Option<v1::GroupLimits>) -> Result<Written, Failure> {
    let own = own.ok_or_else(|| Failure::not_found(format!("the group {group} has no limits")))?;
    let unread = |wrong: String| {
        Failure::broken(format!(
            "what the tracker says of {group} cannot be read: {wrong}"
        ))
    };
    let spec = LimitsSpec {
        group: own
            .group
            .parse()
            .map_err(|wrong: Violation| unread(wrong.to_string()))?,
        limits: own
            .try_into()
            .map_err(|wrong: Violations| unread(wrong.to_string()))?,
    };
    Ok(write_limits(&spec, Defaults::LeftOut))
}

pub(crate) async fn run(global: &Global, command: LimitCommand) -> Result<(), Failure> {
    let client = global.connect().await?;
    let request = match command {
        LimitCommand::List => {
            let answer = client.limits().await?;
            tell_unreadable(answer.unreadable);
            let rows: Vec<Limits> = answer.groups.into_iter().map(Into::into).collect();
            return global.output.list(&rows);
        }
        LimitCommand::Get(args) => {
            let answer = client.limits().await?;
            let own = answer.groups.into_iter();
            let own = own.into_iter().find(|limits| limits.group == args.group);
            return global.output.documents(&[document(&args.group, own)?]);
        }
        LimitCommand::Set(args) => {
            let limits = limits_of(&args)?;
            if limits.is_empty() {
                return Err(Failure::usage(
                    "no limit is given; `limit remove` takes those of a group away",
                ));
            }
            v1::GroupLimits {
                group: args.group,
                ..v1::GroupLimits::from(&limits)
            }
        }
        LimitCommand::Remove(args) => v1::GroupLimits {
            group: args.group,
            ..v1::GroupLimits::default()
        },
    };
    let answer = client.set_limits(request).await?;
    global.output.list(&[Limits::from(answer)])
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: SetArgs,
    }

    fn limits(line: &str) -> Result<GroupLimits, Failure> {
        let words = std::iter::once("limit").chain(line.split(' '));
        limits_of(&Line::try_parse_from(words).unwrap().args)
    }

    #[test]
    fn a_line_becomes_limits() {
        let given = limits(
            "orders --concurrency 10 --rate 100/s --burst 5 --key-concurrency 2 --key acme=20,50/s --key free=-",
        )
        .unwrap();
        assert_eq!(given.all.concurrency, Some(10));
        assert_eq!(given.all.rate.map(|rate| rate.burst), Some(5));
        assert_eq!(given.per_key.concurrency, Some(2));
        assert_eq!(given.of_key("acme").concurrency, Some(20));
        assert!(given.of_key("free").is_empty());
        assert!(limits("orders --key acme").is_err());
        assert!(limits("orders --key acme=fast").is_err());
    }
}
