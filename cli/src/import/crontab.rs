//! A crontab: each line with a time and a command becomes a job. The command becomes data of the body, for a handler that somebody writes.

mod command;
mod environment;
mod line;
mod times;

use serde_json::{Map, Value, json};

use self::command::Command;
use self::environment::Environment;
use self::line::Line;
use super::draft::{Draft, PARALLEL, Reason};
use super::names::Names;
use super::settings::Settings;

/// What runs a command when no setting names a handler.
const HANDLER: &str = "run-command";

const COMMAND: Reason = Reason {
    why: "a worker runs handlers by their names and no text of a job, so the command is data of the body",
    todo: "write this handler, and let it decide what it runs: the body of a job is input, not trusted code",
};

const USER: Reason = Reason {
    why: "a worker runs everything as the user that it was started by",
    todo: "start a worker of that user in a group of its own, and name the group here",
};

const SYSTEM: Reason = Reason {
    why: "a crontab of the system has a user before each command, and this looks like one",
    todo: "import again with --system, if it is one",
};

/// Reads at most `most` entries of a crontab; in one of the system each has a user.
pub(super) fn read(text: &str, system: bool, settings: &Settings, most: usize) -> Vec<Draft> {
    let (mut drafts, mut names) = (Vec::new(), Names::default());
    let (mut environment, mut comment) = (Environment::default(), "");
    for (at, text) in text.lines().enumerate() {
        match Line::of(text) {
            Line::Comment(words) => comment = words,
            Line::Blank => comment = "",
            Line::Variable { name, value } => {
                environment.set(name, value);
                comment = "";
            }
            Line::Entry(entry) => {
                let mut draft = Draft::new(format!("line {}", at + 1), entry);
                if let Some(command) = draft_of(entry, &mut draft, (&environment, system), settings)
                {
                    describe(comment, &mut draft);
                    let name = command.name().unwrap_or_else(|| format!("line-{}", at + 1));
                    names.give(&mut draft, settings.namespace.as_str(), &name);
                }
                comment = "";
                drafts.push(draft);
                if drafts.len() == most {
                    break;
                }
            }
        }
    }
    drafts
}

/// The document of a line, but for its name; `None` when it is refused.
fn draft_of<'a>(
    entry: &'a str,
    draft: &mut Draft,
    (environment, system): (&Environment, bool),
    settings: &Settings,
) -> Option<Command<'a>> {
    let silent = entry.strip_prefix('-');
    let Some((when, rest)) = line::split_times(silent.unwrap_or(entry)) else {
        draft.refuse("has no five fields of time, and no word like @daily, before its command");
        return None;
    };
    let read = if system {
        Command::with_user(rest)
    } else {
        Command::of(rest)
    };
    let Some(command) = read else {
        draft.refuse(if system {
            "has no user and command behind its time"
        } else {
            "has no command behind its time"
        });
        return None;
    };
    environment.check(draft);
    let trigger = times::trigger(&when, &command, environment, (draft, settings))?;
    draft.set("trigger", trigger);
    policies(draft, &command);
    command.options(draft, silent.is_some());
    environment.tell(draft);
    if let Some(group) = &settings.group {
        draft.set("group", json!(group.as_str()));
    }
    body(draft, &command, environment, settings);
    (draft.refusals.is_empty()).then_some(command)
}

/// What a cron does: it makes up for nothing, tries nothing again, and lets runs overlap.
fn policies(draft: &mut Draft, command: &Command<'_>) {
    draft.set("misfire", json!("skip"));
    draft.set("retries", json!({ "max_attempts": 1 }));
    draft.set("on_lease_lost", json!("fail"));
    if command.is_alone() {
        draft.set("overlap", json!("discard"));
    } else {
        draft.set("overlap", json!({ "policy": "parallel", "limit": 1_000 }));
        draft.differs(
            "overlap",
            "runs overlap without a bound",
            "parallel, limit 1000",
            &PARALLEL,
        );
    }
}

fn body(draft: &mut Draft, command: &Command<'_>, environment: &Environment, settings: &Settings) {
    let handler = settings
        .handler
        .as_ref()
        .map_or(HANDLER, |name| name.as_str());
    draft.set("handler", json!(handler));
    let mut body = Map::new();
    body.insert("command".to_owned(), json!(command.text()));
    let now = format!("body.command, for the handler {handler}");
    draft.differs("command", command.text(), now, &COMMAND);
    if let Some(input) = command.input() {
        body.insert("input".to_owned(), json!(input));
    }
    if let Some(user) = command.user() {
        body.insert("user".to_owned(), json!(user));
        draft.differs("user", user, "body.user", &USER);
    } else if command.text().split_ascii_whitespace().next() == Some("root") {
        draft.differs(
            "user",
            "root, perhaps",
            "the first word of the command",
            &SYSTEM,
        );
    }
    if let Some(variables) = environment.variables() {
        body.insert("environment".to_owned(), variables);
    }
    draft.set("body", Value::Object(body));
}

/// The comment right above an entry says what it is for, unless it is a line that was taken out of use.
fn describe(comment: &str, draft: &mut Draft) {
    let words = comment.trim_start_matches('#').trim();
    let is_entry = line::split_times(words).is_some();
    if !words.is_empty() && !is_entry {
        let plain: String = words
            .chars()
            .map(|letter| if letter.is_control() { ' ' } else { letter })
            .take(tickwheel_core::bounds::DESCRIPTION_CHARS_MAX)
            .collect();
        draft.set("description", json!(plain));
    }
}
