//! Requests of the HTTP API.

use tickwheel_api::requests::{self, Asked};
use tickwheel_api::routes::{Missing, find};
use tickwheel_core::Violations;

use crate::given::{text_of, told};

/// What low bytes stand for: random bytes are seldom JSON.
const WORDS: [&str; 16] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"name\"",
    "\"handler\"",
    "\"trigger\"",
    "\"cron\"",
    "\"body\"",
    "\"* * * * *\"",
    "\"a/b\"",
    "null",
    "1e308",
    "\"ids\"",
];

/// What is wrong with it, if anything is.
fn read<T>(asked: Result<T, Violations>) {
    if let Err(wrong) = asked {
        told(&wrong);
    }
}

fn nearly(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for byte in bytes {
        match WORDS.get(usize::from(*byte)) {
            Some(word) => text.extend(word.as_bytes()),
            None => text.push(*byte),
        }
    }
    text
}

pub(crate) fn bodies(bytes: &[u8]) {
    for body in [bytes, &nearly(bytes)] {
        let asked = Asked {
            name: "a/b",
            query: "",
            body,
        };
        read(requests::submit(&asked));
        read(requests::apply_jobs(&asked));
        read(requests::run_job(&asked));
        read(requests::pause_job(&asked));
        read(requests::change_dead(&asked));
        read(requests::set_limits(&asked));
        read(requests::make_token(&asked));
        read(requests::rotate_token(&asked));
        read(requests::preview_definition(&asked));
        let place = requests::place_in(body, "contexts[0].options.retry.delay_ms");
        assert!(place.ends_with("retries.delay"));
    }
}

/// A path, and behind the first `?` its parameters.
pub(crate) fn paths(bytes: &[u8]) {
    let text = text_of(bytes);
    let (path, query) = text.split_once('?').unwrap_or((text, text));
    for path in [path, &format!("/jobs/{path}"), &format!("/runs/{path}")] {
        match find("GET", path) {
            Ok(found) => assert!(found.name.len() <= path.len()),
            Err(Missing::Name(wrong)) => told(&wrong.into()),
            Err(Missing::Method(methods)) => assert!(!methods.is_empty()),
            Err(Missing::Path) => {}
        }
    }
    let asked = Asked {
        name: path,
        query,
        body: b"",
    };
    read(requests::list_runs(&asked));
    read(requests::list_dead(&asked));
    read(requests::list_jobs(&asked));
    read(requests::find_run(&asked));
    read(requests::get_ledger(&asked));
    read(requests::explain_job(&asked));
    read(requests::list_audit(&asked));
}
