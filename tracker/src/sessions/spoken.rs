//! What a worker and this tracker speak: the number of the protocol, and what they understand beyond its core.

use tickwheel_core::error::{Violation, Violations};
use tickwheel_proto::protocol::{NEWEST, OLDEST};
use tickwheel_proto::v1::Hello;
use tickwheel_proto::wire::refusal;
use tonic::Status;

/// Letters of a capability.
const CAPABILITY_BYTES_MAX: usize = 32;

/// The newest number that both speak. Asked before anything else of a Hello: what its fields mean is for that number to say.
///
/// # Errors
/// The status that ends the stream and names both ranges.
pub(crate) fn spoken(hello: &Hello) -> Result<u32, Status> {
    // Whoever says none speaks the first.
    let newest = hello.protocol.max(1);
    let least = match hello.protocol_least {
        0 => newest,
        least => least.min(newest),
    };
    let common = newest.min(NEWEST);
    if common >= least.max(OLDEST) {
        return Ok(common);
    }
    let todo = if least > NEWEST {
        "upgrade the tracker"
    } else {
        "upgrade the worker"
    };
    let rule = format!("is {} on this tracker: {todo}", range(OLDEST, NEWEST));
    let given = range(least, newest);
    let wrong = Violation::new("hello.protocol", rule, given);
    Err(refusal::upgrade_required(&wrong))
}

fn range(least: u32, newest: u32) -> String {
    if least == newest {
        newest.to_string()
    } else {
        format!("{least} to {newest}")
    }
}

/// Checks the words; which of them mean something is nobody's matter here.
pub(super) fn check_capabilities(words: &[String], found: &mut Violations) {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    for (index, word) in words.iter().enumerate() {
        if word.is_empty() || word.len() > CAPABILITY_BYTES_MAX || !word.bytes().all(fits) {
            let rule = format!("has 1 to {CAPABILITY_BYTES_MAX} small letters, digits and _");
            found.add(
                format!("capabilities[{index}]"),
                rule,
                word.escape_default(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    fn speaks(least: u32, newest: u32) -> Hello {
        Hello {
            protocol: newest,
            protocol_least: least,
            ..Hello::default()
        }
    }

    #[test]
    fn both_speak_the_newest_that_they_have_in_common() {
        for (least, newest) in [(0, 0), (0, 1), (1, 1), (1, 9), (7, 1)] {
            assert_eq!(spoken(&speaks(least, newest)).unwrap(), 1);
        }
    }

    #[test]
    fn a_worker_with_no_number_in_common_is_told_both_ranges_and_what_to_do() {
        for ((least, newest), given) in [((0, 2), "2"), ((2, 3), "2 to 3")] {
            let status = spoken(&speaks(least, newest)).unwrap_err();
            assert_eq!(status.code(), Code::FailedPrecondition);
            assert!(refusal::is_upgrade_required(&status), "{status:?}");
            assert_eq!(
                status.message(),
                format!(
                    "hello.protocol: is 1 on this tracker: upgrade the tracker (given: {given})"
                )
            );
        }
    }

    #[test]
    fn capabilities_are_words_and_each_wrong_one_is_named() {
        let words = ["results", "", "Results", "a b", &"x".repeat(33)].map(ToOwned::to_owned);
        let mut found = Violations::new();
        check_capabilities(&words, &mut found);
        let fields: Vec<_> = found.iter().map(|one| one.field.clone()).collect();
        let expected = [1, 2, 3, 4].map(|index| format!("capabilities[{index}]"));
        assert_eq!(fields, expected);
    }
}
