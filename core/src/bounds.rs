//! Every bound of the system in one place (W9), each with its reason.
//!
//! Wire surfaces refuse what is beyond a bound and name the bound; scripts check it again.

/// Bytes of a context's body. A body travels in a wheel member and through scripts; a quarter of a MiB keeps one
/// script call under its time budget. Larger payloads belong in a store of their own, with a reference in the body.
pub const BODY_BYTES_MAX: usize = 262_144;

/// Characters of a name or id given by a caller. Long enough for `namespace/service/purpose`, short enough to stay
/// in a listpack and on one line of a terminal.
pub const ID_CHARS_MAX: usize = 128;

/// Characters of a context id: partition, due time, unique part and the job's name together stay below.
pub const CONTEXT_ID_CHARS_MAX: usize = 220;

/// Characters of the unique part of a context id.
pub const UNIQ_CHARS_MAX: usize = 32;

/// Contexts in one submit call: one script per partition stays under its 5 ms.
pub const SUBMIT_MAX: usize = 1_000;

/// Bytes of a handler's result. A result is kept for an hour for its caller; it is not a data store.
pub const RESULT_BYTES_MAX: usize = 65_536;

/// Bytes of an error message kept with a settled context; the head of a stack trace fits.
pub const ERROR_BYTES_MAX: usize = 1_024;

/// Bytes of a text that is looked for in messages: those of a message.
pub const SEARCH_BYTES_MAX: usize = ERROR_BYTES_MAX;

/// Bytes of one log line of an attempt.
pub const LOG_LINE_BYTES_MAX: usize = 4_096;

/// Log lines kept per context; older ones are dropped.
pub const LOG_LINES_MAX: usize = 1_000;

/// Bytes of the lines that one call keeps, and about those of a context's log.
pub const LOG_BYTES_MAX: usize = 1 << 20;

/// How long before its call a line may have been said, ms; more counts as that.
pub const LOG_AGE_MS_MAX: u32 = 999_999_999;

/// Bytes of the message beside a progress percentage.
pub const PROGRESS_BYTES_MAX: usize = 1_024;

/// Namespaces whose jobs may follow a job: a job has at most so many followers.
pub const FOLLOWED_BY_MAX: usize = 100;

/// Characters of a job's description.
pub const DESCRIPTION_CHARS_MAX: usize = 1_024;

/// How many entries the lists and maps of a job may have, by the field of its message. What declares such a field, and what bounds messages
/// before they are decoded, take it from here.
pub const JOB_LISTS: &[(&str, usize)] = &[("labels", LABELS_MAX), ("followed_by", FOLLOWED_BY_MAX)];

/// Labels of a job. They are looked through with every job of a page, and stand in its record.
pub const LABELS_MAX: usize = 16;

/// Characters of a label's name, and of its value.
pub const LABEL_CHARS_MAX: usize = 63;

/// Characters of a cron expression. A real one has under 60; parsers take time and memory for a hostile one.
pub const CRON_CHARS_MAX: usize = 256;

/// List elements of one cron field: a minute field has 60 values, so more elements repeat themselves.
pub const CRON_LIST_MAX: usize = 60;

/// Due times one preview or plan may ask for.
pub const UPCOMING_MAX: usize = 1_000;

/// Milliseconds of a fixed rate. Below this the wheel would turn for one job all the time.
pub const PERIOD_MS_MIN: u64 = 10;

/// Milliseconds of a period, delay, timeout or window: ten years. Longer is a typing mistake.
pub const SPAN_MS_MAX: u64 = 10 * 366 * 86_400_000;

/// The latest instant a spec may name, in ms. The score of a ready set is `(4 - priority) * 2^44 + due`, exact in a
/// double only while due times stay below 2^44 (the year 2527).
pub const INSTANT_MS_MAX: u64 = (1 << 44) - 1;

/// Partitions of a cluster. A tracker looks after each; beyond a thousand the idle cost outgrows the gain.
pub const PARTITIONS_MAX: u16 = 1_024;

/// Partitions of a cluster when nobody says otherwise.
pub const PARTITIONS_DEFAULT: u16 = 16;

/// Attempts of a context in all.
pub const ATTEMPTS_MAX: u32 = 1_000;

/// Due times a `fire_all` misfire policy may fire at once after an outage.
pub const MISFIRE_LIMIT_MAX: u32 = 1_000;

/// Due times a `fire_all` misfire policy fires when the spec names no limit.
pub const MISFIRE_LIMIT_DEFAULT: u32 = 100;

/// Lateness in ms below which a firing is never a misfire; covers a fail-over and a restart.
pub const MISFIRE_TOLERANCE_MS_DEFAULT: u64 = 5_000;

/// Contexts of one job that run at once under `parallel(n)`.
pub const PARALLEL_MAX: u32 = 1_000;

/// Contexts of one job that wait under `queue(n)`.
pub const QUEUE_MAX: u32 = 100_000;

/// Contexts of one job that wait under `queue` without a number.
pub const QUEUE_DEFAULT: u32 = 1_000;

/// Ledger records kept per job.
pub const LEDGER_MAX: u32 = 100_000;

/// Ledger records kept per job when the spec does not say.
pub const LEDGER_DEFAULT: u32 = 1_000;

/// Settled contexts kept per job.
pub const RUNS_MAX: u32 = 10_000;

/// Settled contexts kept per job when the spec does not say.
pub const RUNS_DEFAULT: u32 = 100;

/// Shortest lease in ms: two heartbeats must fit.
pub const LEASE_MS_MIN: u64 = 1_000;

/// Longest lease in ms: an hour. A lease is renewed from heartbeats; a longer one only delays the reaping of a dead worker.
pub const LEASE_MS_MAX: u64 = 3_600_000;

/// Lease in ms when the options do not say.
pub const LEASE_MS_DEFAULT: u64 = 10_000;

/// Milliseconds a cancelled attempt has to settle before its lease is taken, when the options do not say.
pub const CANCEL_GRACE_MS_DEFAULT: u64 = 5_000;

/// Documents in one list.
pub const MANIFEST_DOCUMENTS_MAX: usize = 10_000;

/// Replicas that a write may be asked to reach. Nobody runs more, and each costs the primary its share of bandwidth.
pub const REPLICAS_MAX: u8 = 16;

/// Subtasks of one root. Their bodies wait in one list of one partition; more belong into several contexts.
pub const SUBTASKS_MAX: u64 = 10_000_000;

/// Bytes of a subtask's body: those of any body.
pub const SUBTASK_BODY_BYTES_MAX: usize = BODY_BYTES_MAX;

/// Items of one page of a map: one script call stays under its time budget.
pub const SPLIT_ITEMS_MAX: usize = 1_000;

/// Bytes of the items of one page of a map.
pub const SPLIT_BYTES_MAX: usize = 1_048_576;

/// Results of one page that a reduce reads.
pub const RESULTS_PAGE_MAX: u32 = 1_000;

/// Items of a sharded job. They stand in its definition and are dealt out in one call.
pub const SHARD_ITEMS_MAX: usize = 1_000;

/// Characters of the parameter of a shard's item.
pub const SHARD_PARAMETER_CHARS_MAX: usize = 1_024;

/// Subtasks of a broadcast that may be asked to succeed; nobody has more workers in a group.
pub const QUORUM_MAX: u32 = 1_000;

/// Subtasks of one root that run at once.
pub const PARALLELISM_MAX: u32 = 1_000_000;

/// Indexes that a success rule names.
pub const SUCCESS_INDEXES_MAX: usize = 1_000;

/// Characters of a condition over tags.
pub const CONDITION_CHARS_MAX: usize = 1_024;

/// Brackets and negations inside each other in a condition.
pub const CONDITION_DEPTH_MAX: usize = 32;

/// Values of one list in a condition.
pub const CONDITION_LIST_MAX: usize = 100;

/// Entries of a list of workers. A longer one is better said by a tag.
pub const WORKER_LIST_MAX: usize = 100;

/// Workers a placement may be limited to; a greater number is no limit.
pub const WORKERS_CHOSEN_MAX: u32 = 10_000;

/// Weight of a worker.
pub const WEIGHT_MAX: u32 = 10_000;

/// Characters of a JSON pointer into a body.
pub const POINTER_CHARS_MAX: usize = 256;

/// Resources that a context may need, or a worker may have.
pub const UNITS_MAX: usize = 16;

/// An amount of a resource: 2^53 - 1, up to which scripts count exactly. More bytes than any machine has.
pub const AMOUNT_MAX: u64 = (1 << 53) - 1;

/// Names, or beginnings of names, that one list of a token has: each call looks through them.
pub const PATTERNS_MAX: usize = 64;

/// Characters of what a token is for, in the words of who made it.
pub const TOKEN_NAME_CHARS_MAX: usize = 128;

/// Calls, bytes or contexts in a second, where a rate is given. More is no limit.
pub const RATE_MAX: u32 = 1_000_000_000;

/// Bytes in a second, where a rate is given. Fewer would have a single large message waited for for minutes.
pub const BYTE_RATE_MIN: u32 = 64 << 10;

/// Contexts that one worker runs at once. A greater number is a mistake.
pub const WORKER_PERMITS_MAX: u32 = 65_536;

/// Handlers of one worker.
pub const WORKER_HANDLERS_MAX: usize = 1_000;

/// Bytes of the names of a worker's handlers, with a comma between them: they are offered to turns and stand in its record.
pub const WORKER_HANDLERS_BYTES_MAX: usize = 32_768;

/// Tags of one worker.
pub const WORKER_TAGS_MAX: usize = 64;

/// Bytes of a worker's tags, with a comma between them: the record of a worker stays small beside its handlers.
pub const WORKER_TAGS_BYTES_MAX: usize = 2_048;

/// Bytes of the names by which a worker calls its host and its SDK.
pub const WORKER_WORD_BYTES_MAX: usize = 255;

/// CPUs that a worker may say it has.
pub const WORKER_CPUS_MAX: u32 = 65_536;

/// Bytes of memory that a worker may say it has: 64 TiB.
pub const WORKER_MEMORY_MAX: u64 = 1 << 46;

/// Runnable processes that a worker may say its machine has.
pub const WORKER_LOAD_MAX: f32 = 1_000_000.0;

/// Milliseconds that a worker may say its attempts took lately: a day.
pub const RESPONSE_MS_MAX: f32 = 86_400_000.0;

/// Characters of a fairness key.
pub const FAIRNESS_KEY_CHARS_MAX: usize = 64;

/// Weight of a fairness key.
pub const FAIRNESS_WEIGHT_MAX: u32 = 64;
