//! The bounds of docs/guarantees.md are those of the code: a row says a number, and the line that declares it says the same.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};

use super::root;

/// What a row says, and where the code says it: file and line.
type Said = (&'static str, &'static str, &'static str);

const CORE: &str = "core/src/bounds.rs";
const WIRE: &str = "proto/src/wire/bounds.rs";
const MEMORY: &str = "tracker/src/edge/memory.rs";
const REQUEST: &str = "tracker/src/edge/request.rs";
const STREAM: &str = "tracker/src/edge/stream.rs";
const SURFACES: &str = "tracker/src/surfaces.rs";
const PATIENCE: &str = "tracker/src/http/request_deadline.rs";
const CLOCK: &str = "tracker/src/http/clock.rs";
const HTTP: &str = "tracker/src/http/connections.rs";
const SEATS: &str = "tracker/src/live/seats.rs";
const LOGS: &str = "tracker/src/live/logs.rs";
const TOPIC: &str = "tracker/src/live/topic.rs";
const ROUTES: &str = "api/src/routes/row.rs";
const CONFIG: &str = "tracker/src/config.rs";
const INTAKE: &str = "tracker/src/rpc/intake.rs";

/// The rows of the table by how they begin.
const ROWS: &[(&str, &[Said])] = &[
    (
        "body of a context",
        &[("256 KiB", CORE, "BODY_BYTES_MAX: usize = 262_144;")],
    ),
    (
        "contexts in one submit",
        &[
            ("1,000,", CORE, "SUBMIT_MAX: usize = 1_000;"),
            ("4 MiB", WIRE, "CALL_BYTES_MAX: usize = 4 << 20;"),
            (
                "16 of the greatest body",
                CORE,
                "BODY_BYTES_MAX: usize = 262_144;",
            ),
        ],
    ),
    (
        "small submissions that wait for Redis",
        &[
            ("32 MiB", INTAKE, "ROOM_KIB: usize = 32 << 10;"),
            (
                "1 KiB",
                INTAKE,
                "1 + (context.rest.len() + placement) / 1_024",
            ),
        ],
    ),
    (
        "jobs in one apply",
        &[
            ("1,000,", CORE, "SUBMIT_MAX: usize = 1_000;"),
            ("4 MiB", WIRE, "CALL_BYTES_MAX: usize = 4 << 20;"),
        ],
    ),
    (
        "any message to",
        &[("4 MiB", WIRE, "CALL_BYTES_MAX: usize = 4 << 20;")],
    ),
    (
        "a text in such a message",
        &[("4 KiB", WIRE, "TEXT_BYTES_MAX: usize = 4_096;")],
    ),
    (
        "a frame of a worker",
        &[
            ("1.5 MiB", WIRE, "FRAME_BYTES_MAX: usize = 3 << 19;"),
            (
                "1 MiB",
                "worker-sdk/src/bounds.rs",
                "FRAME_BYTES_MAX: usize = 1 << 20;",
            ),
        ],
    ),
    ("lists in messages", &[]),
    (
        "a request, from its beginning",
        &[(
            "10 s",
            REQUEST,
            "WHOLE_WITHIN: Duration = Duration::from_secs(10);",
        )],
    ),
    (
        "requests above 64 KiB",
        &[
            ("above 64 KiB", REQUEST, "SMALL: usize = 64 << 10;"),
            ("64 MiB of wire bytes", MEMORY, "MEMORY: usize = 256 << 20;"),
            ("64 MiB of wire bytes", REQUEST, "GROWS: usize = 4;"),
            (
                "16 MiB on a connection",
                MEMORY,
                "MEMORY_OF_CONNECTION: usize = 64 << 20;",
            ),
            (
                "up to 10 s",
                REQUEST,
                "WHOLE_WITHIN: Duration = Duration::from_secs(10);",
            ),
        ],
    ),
    (
        "an answer that its caller does not take",
        &[(
            "60 s",
            "tracker/src/edge/peers.rs",
            "TAKE_WITHIN: Duration = Duration::from_secs(60);",
        )],
    ),
    (
        "connections of gRPC",
        &[
            (
                "`grpc_connections` 2,000",
                CONFIG,
                "grpc_connections: 2_000,",
            ),
            (
                "`grpc_connections_per_address` 64",
                CONFIG,
                "grpc_connections_per_address: 64,",
            ),
        ],
    ),
    (
        "a connection of gRPC that says nothing",
        &[
            (
                "5 s;",
                STREAM,
                "SAY_WITHIN: Duration = Duration::from_secs(5);",
            ),
            (
                "10 s to the end of its handshake",
                STREAM,
                "SHAKE_WITHIN: Duration = Duration::from_secs(10);",
            ),
        ],
    ),
    (
        "streams of a connection",
        &[("256", SURFACES, "STREAMS_MAX: u32 = 256;")],
    ),
    (
        "streams of what is going on",
        &[
            ("1,024 at a tracker", SEATS, "STREAMS_MAX: usize = 1_024;"),
            ("256 of a token", SEATS, "STREAMS_OF_TOKEN: usize = 256;"),
            ("128 logs", LOGS, "LOGS_MAX: usize = 128;"),
            ("16 topics", TOPIC, "TOPICS_MAX: usize = 16;"),
        ],
    ),
    (
        "connections to the HTTP surface",
        &[
            ("1,280,", SURFACES, "HTTP_CONNECTIONS: u32 = 1_280;"),
            ("16 of an address", PATIENCE, "PER_ADDRESS: usize = 16;"),
            ("20 s", CLOCK, "WITHIN: Duration = Duration::from_secs(20);"),
            (
                "60 s of rest",
                CLOCK,
                "RESTS_WITHIN: Duration = Duration::from_secs(60);",
            ),
        ],
    ),
    (
        "a request over HTTP",
        &[
            ("1 MiB", ROUTES, "BODY_BYTES_MAX: usize = 1 << 20;"),
            ("16 MiB", ROUTES, "SUBMISSIONS_BYTES_MAX: usize = 16 << 20;"),
            ("16 KiB", HTTP, "HEAD_BYTES_MAX: usize = 16 << 10;"),
            ("100", HTTP, "HEADERS_MAX: usize = 100;"),
            (
                "64 deep",
                "api/src/requests/tree.rs",
                "DEPTH_MAX: usize = 64;",
            ),
        ],
    ),
    (
        "a request of xcron",
        &[
            ("256 KiB", CORE, "BODY_BYTES_MAX: usize = 262_144;"),
            (
                "256 KiB",
                "tracker/src/http/xcron/route.rs",
                "BODY_BYTES_MAX: usize = tickwheel_core::bounds::BODY_BYTES_MAX;",
            ),
            (
                "64 deep",
                "api/src/requests/tree.rs",
                "DEPTH_MAX: usize = 64;",
            ),
            (
                "64 characters",
                "tracker/src/rpc/scheduler/tasks.rs",
                "ID_CHARS_MAX: usize = 64;",
            ),
        ],
    ),
    (
        "result of a context",
        &[("64 KiB", CORE, "RESULT_BYTES_MAX: usize = 65_536;")],
    ),
    (
        "error message",
        &[("1 KiB", CORE, "ERROR_BYTES_MAX: usize = 1_024;")],
    ),
    (
        "log of a context",
        &[
            ("1 MiB", CORE, "LOG_BYTES_MAX: usize = 1 << 20;"),
            ("4 KiB", CORE, "LOG_LINE_BYTES_MAX: usize = 4_096;"),
            ("1,000 lines", CORE, "LOG_LINES_MAX: usize = 1_000;"),
        ],
    ),
    (
        "logs with progress, results",
        &[
            ("`history.logs_mib` 256", CONFIG, "logs_mib: 256,"),
            ("`history.results_mib` 128", CONFIG, "results_mib: 128,"),
            ("a day", CONFIG, "keep: Duration::from_secs(86_400),"),
        ],
    ),
    (
        "`once` jobs that finished",
        &[(
            "seven days",
            CONFIG,
            "once_keep: Duration::from_secs(7 * 86_400),",
        )],
    ),
    (
        "ledger of a job",
        &[("1,000 records", CORE, "LEDGER_DEFAULT: u32 = 1_000;")],
    ),
    (
        "settled contexts of a job",
        &[("100", CORE, "RUNS_DEFAULT: u32 = 100;")],
    ),
    (
        "settled contexts of a partition",
        &[
            (
                "1,000 entries",
                "lua/lib/history/ends.lua",
                "ends.KEPT = 1000 ",
            ),
            (
                "16 MiB as a rule",
                "lua/lib/history/ends.lua",
                "KEPT_BYTES = 16777216 ",
            ),
        ],
    ),
    (
        "parts of a split context behind its end",
        &[(
            "1,000",
            "lua/lib/fan_out/fan_changes.lua",
            "PARTS_KEPT = 1000 ",
        )],
    ),
    (
        "contexts that ended without success",
        &[
            (
                "10,000 of a partition",
                "lua/lib/history/dead.lua",
                "dead.KEPT = 10000 ",
            ),
            ("`history.dead_mib`, 256", CONFIG, "dead_mib: 256,"),
            (
                "16 KiB",
                "lua/lib/contexts/ending.lua",
                "DEAD_BODY_BYTES = 16384 ",
            ),
        ],
    ),
    (
        "different handlers of a group",
        &[(
            "10,000 in a partition",
            "lua/lib/claims/queues.lua",
            "queues.OF_GROUP = 10000",
        )],
    ),
    (
        "different ways to choose a worker",
        &[
            (
                "1,000 in a partition",
                "lua/lib/claims/placements.lua",
                "PLACEMENTS_MAX = 1000 ",
            ),
            (
                "there are 500",
                "tracker/src/matching/placement_sweep.rs",
                "MANY: usize = 500;",
            ),
        ],
    ),
    ("what others pay for handlers", &[]),
    (
        "planned due times of a cron job",
        &[
            (
                "32 ahead",
                "tracker/src/planning/calendar.rs",
                "PLAN_AHEAD: usize = 32;",
            ),
            (
                "when 8 are left",
                "lua/lib/jobs/due_jobs.lua",
                "PLAN_LOW = 8 ",
            ),
        ],
    ),
    (
        "firings of one job in one turn",
        &[("100", "lua/lib/jobs/due_jobs.lua", "FIRINGS_MAX = 100 ")],
    ),
];

#[test]
fn the_bounds_of_the_page_are_those_of_the_code() -> Result<()> {
    let page = std::fs::read_to_string(root().join("docs/guarantees.md"))?;
    let (_, table) = page.split_once("\n## Limits\n").context("no such part")?;
    let table = table.split("\n## ").next().unwrap_or_default();
    let rows: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("| "))
        .skip(1)
        .collect();
    let begins: BTreeSet<&str> = ROWS.iter().map(|(begin, _)| *begin).collect();
    ensure!(begins.len() == ROWS.len(), "a row is there twice");
    for row in &rows {
        let told = ROWS.iter().filter(|(begin, _)| {
            row.strip_prefix("| ")
                .is_some_and(|row| row.starts_with(begin))
        });
        ensure!(told.count() == 1, "what is behind `{row}`?");
    }
    ensure!(
        rows.len() == ROWS.len(),
        "{} rows of {}",
        rows.len(),
        ROWS.len()
    );
    for (begin, said) in ROWS {
        let start = format!("| {begin}");
        let row = rows
            .iter()
            .find(|row| row.starts_with(&start))
            .context(start.clone())?;
        for (words, file, line) in *said {
            ensure!(row.contains(words), "`{words}` is not in `{row}`");
            let source = std::fs::read_to_string(root().join(file))?;
            ensure!(source.contains(line), "{file} has no `{line}`; {row}");
        }
    }
    Ok(())
}
