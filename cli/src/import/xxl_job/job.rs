//! One row as a job.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use tickwheel_core::bounds::{ATTEMPTS_MAX, DESCRIPTION_CHARS_MAX};

use super::row::{Cells, Row, is_known};
use super::schedule::{self, Schedule};
use super::words;
use crate::import::draft::{Draft, Reason};
use crate::import::names::{Names, slug};
use crate::import::settings::Settings;

const HANDLER: Reason = Reason {
    why: "what ran was a method of a Java program",
    todo: "write a handler of this name, for a worker of this group; what was executor_param is its body, a text",
};

const CHARACTERS: Reason = Reason {
    why: "names have letters, digits and . _ / -",
    todo: "give the handler this name",
};

const GROUP: Reason = Reason {
    why: "job_group is the number of an executor, whose name is in the table xxl_job_group",
    todo: "dump that table as well, or import again with --group",
};

const MAIL: Reason = Reason {
    why: "nothing is mailed here",
    todo: "watch runs that end without success (`tickwheel dead list`, metrics)",
};

const ATTEMPTS: Reason = Reason {
    why: "a context has at most 1000 attempts",
    todo: "leave it",
};

const AUTHOR: Reason = Reason {
    why: "a label has 63 characters of a smaller set",
    todo: "leave it in the description, or give the job a label `author`",
};

const ASSUMED: Reason = Reason {
    why: "neither the INSERT nor the dump names the columns",
    todo: "see whether the values went where they belong, or dump with the table or with --complete-insert",
};

const UNKNOWN: Reason = Reason {
    why: "no version of xxl-job that the import knows has this column",
    todo: "see whether the job needs it",
};

/// A row on its way.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) draft: Draft,
    /// Its number in the table, by which others name it.
    pub(super) id: Option<u64>,
    /// Which ones run after it succeeded.
    pub(super) children: String,
    /// Its times, and whether they are in use.
    pub(super) schedule: Schedule,
}

/// Writes everything, with the times of the row itself as its trigger.
pub(super) fn convert(
    row: Row,
    groups: &HashMap<String, String>,
    settings: &Settings,
    names: &mut Names,
) -> Job {
    let place = format!("line {}", row.line);
    let cells = match row.read {
        Ok(cells) => cells,
        Err(why) => {
            return Job {
                draft: Draft::refused(place, "", why),
                id: None,
                children: String::new(),
                schedule: Schedule::None,
            };
        }
    };
    let text = |column: &str| cells.get(column).map_or("", |value| value.trim());
    let source = format!("job {} {}", text("id"), text("job_desc"));
    let mut draft = Draft::new(place, &source);
    if row.assumed {
        draft.differs(
            "columns",
            "not named",
            "those of version 2.3 and later, in their order",
            &ASSUMED,
        );
    }
    let id: Option<u64> = text("id").parse().ok();
    if id.is_none() {
        draft.refuse(format!("id is a number, not {}", text("id")));
    }
    let glue = text("glue_type");
    if glue != "BEAN" {
        draft.refuse(format!(
            "glue_type is {glue}: its code is a script in the database, \
                 and a worker runs handlers by their names: write a handler that does the same"
        ));
        return Job {
            draft,
            id,
            children: text("child_jobid").to_owned(),
            schedule: Schedule::None,
        };
    }
    let schedule = schedule::of(&cells, settings, &mut draft);
    about(&cells, groups, settings, &mut draft);
    policies(&cells, &mut draft);
    handler(&cells, id, settings, (&mut draft, names));
    for (column, value) in cells
        .iter()
        .filter(|(column, value)| !is_known(column) && !value.is_empty())
    {
        draft.differs(column, value, "nothing", &UNKNOWN);
    }
    Job {
        draft,
        id,
        children: text("child_jobid").to_owned(),
        schedule,
    }
}

/// What people know it by, and who runs it.
fn about(cells: &Cells, groups: &HashMap<String, String>, settings: &Settings, draft: &mut Draft) {
    let text = |column: &str| cells.get(column).map_or("", |value| value.trim());
    let mut words = text("job_desc").to_owned();
    let author = text("author");
    if !author.is_empty() {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._/@+-".contains(&byte);
        if author.len() <= tickwheel_core::bounds::LABEL_CHARS_MAX && author.bytes().all(fits) {
            draft.set("labels", json!({ "author": author }));
        } else {
            draft.differs("author", author, "description", &AUTHOR);
            words = format!("{words} ({author})");
        }
    }
    if !words.is_empty() {
        let words: String = words.chars().take(DESCRIPTION_CHARS_MAX).collect();
        draft.set("description", json!(words));
    }
    if !text("alarm_email").is_empty() {
        draft.differs("alarm_email", text("alarm_email"), "nothing", &MAIL);
    }
    let number = text("job_group");
    let named = groups.get(number).and_then(|name| slug(name));
    let group = match (named, &settings.group) {
        (Some(name), _) => name,
        (None, Some(group)) => group.as_str().to_owned(),
        (None, None) => {
            let group = format!("executor-{}", slug(number).unwrap_or_default());
            draft.differs("job_group", number, format!("group: {group}"), &GROUP);
            group
        }
    };
    draft.set("group", json!(group));
}

fn policies(cells: &Cells, draft: &mut Draft) {
    let text = |column: &str| cells.get(column).map_or("", |value| value.trim());
    let route = text("executor_route_strategy");
    words::misfire(text("misfire_strategy"), draft);
    words::route(route, draft);
    words::block(text("executor_block_strategy"), route, draft);
    let options = attempts(cells, draft);
    if route == "SHARDING_BROADCAST" {
        // Each part is tried again by itself.
        let subtask: Map<String, Value> = options.into_iter().collect();
        draft.set("model", json!({ "broadcast": {}, "subtask": subtask }));
        draft.set("retries", json!({ "max_attempts": 1 }));
    } else {
        draft.document.extend(options);
    }
}

/// How often it is tried, and how long that may take.
fn attempts(cells: &Cells, draft: &mut Draft) -> Vec<(String, Value)> {
    let mut number = |column: &str| match cells.get(column).map_or("", |value| value.trim()) {
        "" => 0,
        given => given.parse::<u64>().unwrap_or_else(|_| {
            draft.refuse(format!("{column} is a number, not {given}"));
            0
        }),
    };
    let timeout = number("executor_timeout");
    let retries = number("executor_fail_retry_count");
    let most = u64::from(ATTEMPTS_MAX);
    if retries >= most {
        draft.differs(
            "executor_fail_retry_count",
            retries.to_string(),
            format!("max_attempts: {most}"),
            &ATTEMPTS,
        );
    }
    let mut options = Vec::new();
    if timeout > 0 {
        options.push(("timeout".to_owned(), json!(format!("{timeout}s"))));
    }
    let policy = if retries == 0 {
        options.push(("on_lease_lost".to_owned(), json!("fail")));
        json!({ "max_attempts": 1 })
    } else {
        // xxl-job looks for failures every ten seconds, and starts what it finds at once: some time within ten seconds.
        let attempts = retries.saturating_add(1).min(most);
        json!({ "max_attempts": attempts, "backoff": "fixed", "delay": "10s" })
    };
    options.push(("retries".to_owned(), policy));
    options
}

/// What runs, with what, and what the job is called.
fn handler(
    cells: &Cells,
    id: Option<u64>,
    settings: &Settings,
    (draft, names): (&mut Draft, &mut Names),
) {
    let given = cells
        .get("executor_handler")
        .map_or("", |value| value.trim());
    let handler = slug(given).or_else(|| {
        settings
            .handler
            .as_ref()
            .map(|name| name.as_str().to_owned())
    });
    let Some(handler) = handler else {
        draft.refuse(
            "has no executor_handler that a name can be made of: import again with --handler",
        );
        return;
    };
    if handler == given {
        draft.differs(
            "executor_handler",
            given,
            format!("handler: {handler}"),
            &HANDLER,
        );
    } else {
        draft.differs(
            "executor_handler",
            given,
            format!("handler: {handler}"),
            &CHARACTERS,
        );
    }
    draft.set("handler", json!(handler));
    if let Some(param) = cells
        .get("executor_param")
        .filter(|param| !param.is_empty())
    {
        draft.set("body", json!(param));
    }
    if let (Some(id), Some(base)) = (id, slug(&handler)) {
        names.give(draft, settings.namespace.as_str(), &format!("{base}-{id}"));
    }
}
