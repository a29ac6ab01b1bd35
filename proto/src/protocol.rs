//! The numbers and words by which a worker and a tracker agree on what they speak: `docs/protocol.md`.

/// The newest number of the protocol that this program speaks.
pub const NEWEST: u32 = 1;

/// The oldest: that before the newest, once there is one.
pub const OLDEST: u32 = 1;

/// Mapped items, page by page.
pub const SPLIT: &str = "split";
/// Results of subtasks, page by page; a worker without it is given no reduce.
pub const RESULTS: &str = "results";
/// What a worker has of resources, and what contexts take of them.
pub const UNITS: &str = "units";
/// Lines of a run's log.
pub const LOG: &str = "log";
/// Trackers whose streams broke without a farewell.
pub const LOST_TRACKERS: &str = "lost_trackers";
/// The class of an error beside its text.
pub const ERROR_TYPE: &str = "error_type";

/// What this program understands beyond the core, as a worker and as a tracker.
pub const CAPABILITIES: [&str; 6] = [SPLIT, RESULTS, UNITS, LOG, LOST_TRACKERS, ERROR_TYPE];

/// The metadata by which a worker tells what program it is, `tickwheel-<language>/<version>` first.
pub const USER_AGENT: &str = "user-agent";

/// The code of a refusal, in the details of its status, by which a worker learns that the two speak no number in common.
pub const UPGRADE_REQUIRED: &str = "UPGRADE_REQUIRED";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::bounds::{FRAME_BYTES_MAX, HELLO_RUNNING_MAX, ITEMS, QUESTIONS};
    use crate::wire::schema::MESSAGES;

    #[test]
    fn the_page_knows_every_word_rule_and_limit() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/protocol.md");
        let page = std::fs::read_to_string(page).unwrap();
        for word in CAPABILITIES {
            let row = format!("| `{word}` |");
            assert!(page.contains(&row), "docs/protocol.md has no {row}");
        }
        for number in 1..=16 {
            let rule = format!("- **R{number} ");
            assert!(page.contains(&rule), "docs/protocol.md has no {rule}");
        }
        let welcome = MESSAGES.iter().find(|message| message.name == "Welcome");
        let told = welcome.unwrap().fields.iter().map(|field| field.name);
        let others = [
            "tracker_id",
            "roster",
            "protocol",
            "capabilities",
            "version",
        ];
        for limit in told.filter(|name| !others.contains(name)) {
            let named = format!("`{limit}`");
            assert!(page.contains(&named), "docs/protocol.md has no {named}");
        }
        for (limit, value) in [
            ("frame_bytes_max", FRAME_BYTES_MAX),
            ("frame_items_max", ITEMS),
            ("frame_questions_max", QUESTIONS),
            ("hello_running_max", HELLO_RUNNING_MAX),
        ] {
            let mut rows = page.lines().filter(|line| line.starts_with("| "));
            let row = rows.find(|row| row.contains(&format!("| `{limit}` |")));
            let plain = row.unwrap().replace(',', "");
            assert!(plain.contains(&format!("| {value}")), "{plain}: {value}");
        }
    }

    #[test]
    fn a_program_speaks_at_most_two_numbers() {
        const { assert!(OLDEST >= 1 && OLDEST <= NEWEST && NEWEST <= OLDEST + 1) };
    }
}
