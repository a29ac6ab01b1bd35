//! What a worker says of itself when it comes. Everything here reaches scripts, records and other people's screens, so each field is
//! checked; a worker with one that breaks a rule is refused, and told which.

use tickwheel_core::bounds::{
    WORKER_CPUS_MAX, WORKER_HANDLERS_BYTES_MAX, WORKER_HANDLERS_MAX, WORKER_PERMITS_MAX,
    WORKER_TAGS_BYTES_MAX, WORKER_TAGS_MAX, WORKER_WORD_BYTES_MAX,
};
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::{ContextId, GroupName, HandlerName, WorkerId};
use tickwheel_core::routing::{Profile, Tags, Units};
use tickwheel_proto::v1::Hello;
use tonic::Status;

use super::spoken::check_capabilities;

/// Checks every field of a Hello; its resources move into the profile.
///
/// # Errors
/// The violations by their fields, as the status that ends the stream.
pub(crate) fn checked(hello: Hello) -> Result<(Profile, GroupName, Hello), Status> {
    read(hello).map_err(|found| {
        // What was given may hold anything, and the message is printed by the worker.
        let shown = |letter: char| match letter {
            '\n' => letter,
            _ if letter.is_control() => char::REPLACEMENT_CHARACTER,
            _ => letter,
        };
        let message = found.prefix("hello").to_string();
        Status::invalid_argument(message.chars().map(shown).collect::<String>())
    })
}

fn read(mut hello: Hello) -> Result<(Profile, GroupName, Hello), Violations> {
    let mut found = Violations::new();
    // More are a mistake that costs nobody anything: it is given as many as one worker may have.
    hello.permits = hello.permits.min(WORKER_PERMITS_MAX);
    let worker = WorkerId::new(&hello.worker_id).map_err(|wrong| wrong.at("worker_id"));
    let worker = found.keep(worker);
    let group = match hello.group.as_str() {
        "" => Some(GroupName::default()),
        group => found.keep(GroupName::new(group).map_err(|wrong| wrong.at("group"))),
    };
    found.keep(handlers(&hello.handlers));
    found.keep(permits(&hello));
    found.keep(word("host", &hello.host, ""));
    found.keep(word("sdk_version", &hello.sdk_version, "/+"));
    check_capabilities(&hello.capabilities, &mut found);
    let tags = found.keep(tags(&hello.tags)).unwrap_or_default();
    let resources = Units::of_worker(std::mem::take(&mut hello.resources));
    let resources = found.keep(resources.map_err(|wrong| wrong.prefix("resources")));
    let (Some(id), Some(group), Some(resources)) = (worker, group, resources) else {
        return Err(found);
    };
    found.into_result()?;
    hello.handlers.sort_unstable();
    hello.handlers.dedup();
    hello.cpus = hello.cpus.min(WORKER_CPUS_MAX);
    let profile = Profile {
        id,
        host: hello.host.clone(),
        cpus: hello.cpus,
        tags,
        resources,
    };
    Ok((profile, group, hello))
}

fn handlers(names: &[String]) -> Result<(), Violation> {
    if names.is_empty() || names.len() > WORKER_HANDLERS_MAX {
        let rule = format!("has 1 to {WORKER_HANDLERS_MAX} names");
        return Err(Violation::new("handlers", rule, names.len()));
    }
    check_bytes("handlers", names, WORKER_HANDLERS_BYTES_MAX)?;
    for (index, name) in names.iter().enumerate() {
        HandlerName::new(name).map_err(|wrong| wrong.at(format!("handlers[{index}]")))?;
    }
    Ok(())
}

fn tags(texts: &[String]) -> Result<Tags, Violation> {
    if texts.len() > WORKER_TAGS_MAX {
        let rule = format!("has at most {WORKER_TAGS_MAX} entries");
        return Err(Violation::new("tags", rule, texts.len()));
    }
    check_bytes("tags", texts, WORKER_TAGS_BYTES_MAX)?;
    Tags::parse(texts)
}

fn check_bytes(field: &str, texts: &[String], most: usize) -> Result<(), Violation> {
    let bytes = texts.iter().map(|text| text.len() + 1).sum::<usize>();
    if bytes > most + 1 {
        let rule = format!("has at most {most} bytes with a comma between the entries");
        return Err(Violation::new(field, rule, bytes - 1));
    }
    Ok(())
}

fn permits(hello: &Hello) -> Result<(), Violation> {
    if hello.permits == 0 {
        let rule = format!("is 1..={WORKER_PERMITS_MAX}");
        return Err(Violation::new("permits", rule, 0));
    }
    let running = u32::try_from(hello.running.len()).unwrap_or(u32::MAX);
    if running > hello.permits {
        let rule = format!("has at most as many entries as permits, {}", hello.permits);
        return Err(Violation::new("running", rule, running));
    }
    for (index, attempt) in hello.running.iter().enumerate() {
        let parsed = attempt.context_id.parse::<ContextId>();
        parsed.map_err(|wrong| wrong.at(format!("running[{index}].context_id")))?;
    }
    Ok(())
}

/// A word that people are shown and lists of workers name: no spaces, nothing that a terminal or a list would take for its own.
fn word(field: &str, text: &str, also: &str) -> Result<(), Violation> {
    let fits = |byte: u8| {
        byte.is_ascii_alphanumeric() || b"._:-".contains(&byte) || also.as_bytes().contains(&byte)
    };
    if text.len() > WORKER_WORD_BYTES_MAX {
        let rule = format!("has at most {WORKER_WORD_BYTES_MAX} bytes");
        return Err(Violation::new(field, rule, text.len()));
    }
    if !text.bytes().all(fits) {
        let mut rule = "consists of letters, digits and . _ : -".to_owned();
        for byte in also.chars() {
            rule.push(' ');
            rule.push(byte);
        }
        return Err(Violation::new(field, rule, text.escape_default()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tickwheel_proto::v1::AttemptRef;

    use super::*;

    fn hello() -> Hello {
        Hello {
            worker_id: "mill-1a2b3c4d".to_owned(),
            handlers: vec!["grind".to_owned(), "bake".to_owned(), "grind".to_owned()],
            permits: 4,
            host: "host-1.example:7".to_owned(),
            sdk_version: "rust/1.0.0+abc".to_owned(),
            tags: vec!["region=eu".to_owned()],
            resources: [("gpu".to_owned(), 2_000)].into(),
            ..Hello::default()
        }
    }

    fn holding(count: u64) -> Vec<AttemptRef> {
        let attempt = |number: u64| AttemptRef {
            context_id: format!("3.1000000.a-{number}"),
            attempt: 1,
        };
        (0..count).map(attempt).collect()
    }

    #[test]
    fn a_plausible_worker_is_taken_as_it_is() {
        let given = Hello {
            running: holding(4),
            ..hello()
        };
        let greedy = Hello {
            permits: u32::MAX,
            ..hello()
        };
        assert_eq!(checked(greedy).unwrap().2.permits, 65_536);
        let (profile, group, hello) = checked(given).unwrap();
        assert_eq!(group, GroupName::default());
        assert_eq!(hello.handlers, ["bake", "grind"]);
        assert_eq!(profile.host, "host-1.example:7");
        assert_eq!(profile.resources.get("gpu"), 2_000);
        assert_eq!(profile.tags.get("region"), Some("eu"));
    }

    /// What is told, and what is wrong with the Hello.
    type Wrong = (&'static str, fn(&mut Hello));

    const WRONG: [Wrong; 22] = [
        ("worker_id", |h| h.worker_id = "a\u{1b}b".to_owned()),
        ("group", |h| h.group = "a b".to_owned()),
        ("handlers: has 1 to 1000", |h| h.handlers.clear()),
        ("handlers: has 1 to 1000", |h| {
            h.handlers = vec!["h".to_owned(); 1_001];
        }),
        ("handlers: has at most 32768 bytes", |h| {
            h.handlers = vec!["h".repeat(128); 1_000];
        }),
        ("handlers[1]", |h| {
            h.handlers = vec!["h".to_owned(), "a,b".to_owned()];
        }),
        ("permits: is 1..=65536", |h| h.permits = 0),
        ("running: has at most as many", |h| h.running = holding(5)),
        ("running[0].context_id", |h| {
            h.running = vec![AttemptRef::default()];
        }),
        ("host: has at most 255 bytes", |h| {
            h.host = "h".repeat(8 << 20);
        }),
        ("host: consists of", |h| {
            h.host = "\u{1b}]0;x\u{7}".to_owned();
        }),
        ("host: consists of", |h| h.host = "a,b".to_owned()),
        ("host: consists of", |h| h.host = "a b".to_owned()),
        ("sdk_version: consists of", |h| {
            h.sdk_version = "\u{202e}".to_owned();
        }),
        ("sdk_version: has at most", |h| {
            h.sdk_version = "1".repeat(256);
        }),
        ("tags: has at most 64 entries", |h| {
            h.tags = vec!["t".to_owned(); 100_000];
        }),
        ("tags: has at most 2048 bytes", |h| {
            h.tags = vec!["t".repeat(100); 64];
        }),
        ("tags: has a name of", |h| h.tags = vec!["a b".to_owned()]),
        ("resources.GPU: is a name of", |h| {
            h.resources = [("GPU".to_owned(), 1)].into();
        }),
        ("resources.gpu-mem MB: is a name", |h| {
            h.resources = [("gpu-mem MB".to_owned(), 1)].into();
        }),
        ("resources.gpu: is at most", |h| {
            h.resources = [("gpu".to_owned(), u64::MAX)].into();
        }),
        ("resources: has at most 16", |h| {
            h.resources = (0..17).map(|n| (format!("u{n}"), 1)).collect();
        }),
    ];

    #[test]
    fn what_breaks_a_rule_is_refused_with_its_field_and_never_repeated_at_length() {
        for (told, wrong) in WRONG {
            let mut given = hello();
            wrong(&mut given);
            let status = checked(given).unwrap_err();
            assert_eq!(status.code(), tonic::Code::InvalidArgument);
            let message = status.message();
            assert!(
                message.starts_with(&format!("hello.{told}")),
                "{told}: {message}"
            );
            assert!(message.len() < 500, "{message}");
            assert!(!message.contains(char::is_control), "{message}");
        }
    }
}
