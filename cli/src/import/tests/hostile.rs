//! Sources that somebody made to do harm, and whatever else may come.

use proptest::prelude::*;

use super::*;
use crate::manifest::Source;
use crate::printable::is_obeyed;

const KINDS: [Kind; 4] = [
    Kind::Crontab { system: false },
    Kind::Crontab { system: true },
    Kind::Cronjob,
    Kind::XxlJob,
];

/// What holds for every source: what is printed is read again, entry by entry, and nothing reaches a terminal that it would obey.
fn holds(kind: Kind, text: &str) {
    let Ok(imported) = import(kind, text, &settings()) else {
        return;
    };
    let documents = Source::new("x", imported.documents.as_str())
        .documents()
        .unwrap();
    let named = imported
        .report
        .entries
        .iter()
        .filter(|entry| entry.name.is_some());
    assert_eq!(documents.len(), named.count());
    for document in documents {
        tickwheel_core::parse_documents(&document).unwrap();
    }
    for entry in &imported.report.entries {
        assert_eq!(entry.reasons.is_empty(), entry.name.is_some());
    }
    let report = imported.report.text();
    assert!(
        !imported.documents.chars().any(is_obeyed),
        "{:?}",
        imported.documents
    );
    assert!(!report.chars().any(is_obeyed), "{report:?}");
}

/// Texts of a source's own words, in any order.
fn of_words(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    let word = prop_oneof![4 => prop::sample::select(words).prop_map(str::to_owned), 1 => ".{0,4}"];
    prop::collection::vec(word, 0..40).prop_map(|words| words.concat())
}

const CRONTAB: &[&str] = &[
    "* ",
    "0 ",
    "7 ",
    "@daily ",
    "@reboot ",
    "@9 ",
    "~",
    "/",
    "-",
    ",",
    "mon ",
    "%",
    "\\%",
    "\n",
    "# ",
    "CRON_TZ=",
    "TZ=UTC",
    "MAILTO=",
    "root ",
    "x ",
    "\"",
    "'",
    "\u{1b}[2J",
    "\u{202e}",
    "0 1 * * * ",
    "RANDOM_DELAY=3\n",
];
const CRONJOB: &[&str] = &[
    "kind: CronJob\n",
    "apiVersion: batch/v1\n",
    "metadata: {name: x}\n",
    "---\n",
    "spec:\n",
    "  schedule: '@daily'\n",
    "  jobTemplate:\n",
    "    spec:\n",
    "      template: {spec: {containers: [{image: a}]}}\n",
    "      completions: 2\n",
    "  suspend: yes\n",
    "&a ",
    "*a ",
    "- ",
    "items: ",
    "[",
    "{",
    "}",
    "]",
    "\t",
    "'\u{1b}'",
    "kind: List\n",
];
const DUMP: &[&str] = &[
    "INSERT INTO xxl_job_info ",
    "(id,executor_handler,glue_type,schedule_type,schedule_conf,trigger_status,child_jobid) ",
    "VALUES ",
    "(1,'a','BEAN','CRON','0 0 1 * * ?',1,'2')",
    "(2,'b','BEAN','NONE','',0,'1')",
    ",",
    ";",
    "(",
    ")",
    "'",
    "\\",
    "`",
    "-- ",
    "/*",
    "*/",
    "#",
    "\n",
    "NULL",
    "CREATE TABLE xxl_job_info (`id` int)",
    "id,executor_handler\n",
    "1,x\n",
    "\"",
    "'\u{9b}31m'",
];

proptest! {
    #[test]
    fn no_text_makes_an_import_panic(text in "\\PC*|(.|\n)*") {
        for kind in KINDS {
            holds(kind, &text);
        }
    }

    #[test]
    fn no_crontab_does(text in of_words(CRONTAB)) {
        holds(Kind::Crontab { system: false }, &text);
        holds(Kind::Crontab { system: true }, &text);
    }

    #[test]
    fn no_object_does(text in of_words(CRONJOB)) {
        holds(Kind::Cronjob, &text);
    }

    #[test]
    fn no_dump_does(text in of_words(DUMP)) {
        holds(Kind::XxlJob, &text);
    }
}

#[test]
fn what_a_terminal_obeys_is_written_by_its_number_and_read_as_it_was() {
    let command = "echo \u{1b}[2J\u{202e}gpj.exe \u{e0041}\u{7f}";
    let text = format!("# \u{9b}31mred\n@daily {command}\n");
    let kind = Kind::Crontab { system: false };
    holds(kind, &text);
    let documents = documents(kind, &text);
    let value = &Source::new("x", documents).documents().unwrap()[0];
    assert_eq!(value["body"]["command"], command);
}

#[test]
fn more_entries_than_a_file_has_documents_are_refused_as_a_whole() {
    let many = "@daily x\n".repeat(ENTRIES_MAX + 5);
    let wrong = import(Kind::Crontab { system: false }, &many, &settings()).unwrap_err();
    assert_eq!(
        wrong,
        "has more than 10000 entries: divide it into several files"
    );
}

#[test]
fn more_than_apply_reads_at_once_is_not_printed() {
    let large = format!("@daily x {}\n", "y".repeat(200_000));
    let imported = import(
        Kind::Crontab { system: false },
        &large.repeat(90),
        &settings(),
    )
    .unwrap();
    assert!(u64::try_from(imported.documents.len()).unwrap() <= crate::manifest::BYTES_MAX);
    let (missing, all) = imported.report.missing().unwrap();
    assert!(all == 90 && (5..20).contains(&missing), "{missing}");
    let huge = format!("@daily {}\n", "y".repeat(300_000));
    assert!(
        refusals(Kind::Crontab { system: false }, &huge).contains("body: has at most 262144 bytes")
    );
}

#[test]
fn a_few_lines_that_stand_for_a_lot_are_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let imported = import(Kind::Cronjob, &format!("{bomb}---\n{bomb}"), &settings()).unwrap();
    assert_eq!(imported.report.missing(), Some((2, 2)));
}
