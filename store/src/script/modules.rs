//! The modules of `lua/lib`: which ones a script needs, and in which order.
//!
//! A file says what it uses itself, one `-- @use <module>` line each; what those use in turn is found here. A module is a file that begins
//! with `local <name> = {}` and ends with `return <name>`, its name being the last part of its path.

/// What stands before the path of a module that a file uses.
const USE_MARK: &str = "-- @use ";

/// One file of `lua/lib`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Module {
    /// Its path below `lua/lib`, without the ending.
    pub path: &'static str,
    /// Its text.
    pub source: &'static str,
}

impl Module {
    /// The name of its table.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }

    /// Where it lies in the repository.
    #[must_use]
    pub fn file(self) -> String {
        format!("lua/lib/{}.lua", self.path)
    }

    /// True when it keeps something for the length of a call, which `begin` makes anew.
    #[must_use]
    pub fn has_begin(self) -> bool {
        let begin = format!("function {}.begin()", self.name());
        self.source.lines().any(|line| line == begin)
    }

    /// The module of this path.
    #[must_use]
    pub fn find(path: &str) -> Option<Self> {
        MODULES.iter().copied().find(|module| module.path == path)
    }
}

/// The modules that `source` names itself.
pub fn used_by(source: &str) -> impl Iterator<Item = &str> {
    source
        .lines()
        .filter_map(|line| line.strip_prefix(USE_MARK))
        .map(str::trim)
}

/// All modules that `source` needs, each behind those it needs itself.
///
/// # Errors
/// The names on the way, when a module is not there or needs itself.
pub fn needed_by(source: &str) -> Result<Vec<Module>, String> {
    let mut ordered = Vec::new();
    let mut path = Vec::new();
    for name in used_by(source) {
        visit(name, &mut path, &mut ordered)?;
    }
    Ok(ordered)
}

fn visit<'a>(
    name: &'a str,
    path: &mut Vec<&'a str>,
    ordered: &mut Vec<Module>,
) -> Result<(), String> {
    if ordered.iter().any(|module| module.path == name) {
        return Ok(());
    }
    if path.contains(&name) {
        return Err(format!("a circle: {} -> {name}", path.join(" -> ")));
    }
    let module = Module::find(name)
        .ok_or_else(|| format!("no module `{name}`, used by {}", path.join(" -> ")))?;
    path.push(name);
    for used in used_by(module.source) {
        visit(used, path, ordered)?;
    }
    path.pop();
    ordered.push(module);
    Ok(())
}

macro_rules! modules {
    ($($path:literal),* $(,)?) => {
        /// Every module, by path.
        pub const MODULES: &[Module] = &[$(Module {
            path: $path,
            source: include_str!(concat!("../../../lua/lib/", $path, ".lua")),
        }),*];
    };
}

modules![
    "args",
    "args/forms",
    "args/offer_forms",
    "asides",
    "bounds",
    "claims/claiming",
    "claims/fairness",
    "claims/placements",
    "claims/policies",
    "claims/queues",
    "claims/restoring",
    "claims/routing",
    "claims/sources",
    "claims/turn_report",
    "contexts/backoff",
    "contexts/cancelling",
    "contexts/ended_pages",
    "contexts/ending",
    "contexts/expiring",
    "contexts/filters",
    "contexts/keeping",
    "contexts/live_pages",
    "contexts/locating",
    "contexts/locations",
    "contexts/mending",
    "contexts/pages",
    "contexts/ready",
    "contexts/retrying",
    "counters",
    "fan_out/concluding",
    "fan_out/fan_changes",
    "fan_out/fan_sources",
    "fan_out/fans",
    "fan_out/finishing",
    "history/attempts",
    "history/budgets",
    "history/dead",
    "history/ends",
    "history/traces",
    "inspection/context_story",
    "inspection/places",
    "inspection/sentences",
    "inspection/subject",
    "jobs/arming",
    "jobs/begun",
    "jobs/due_jobs",
    "jobs/due_times",
    "jobs/firing",
    "jobs/misfire",
    "jobs/over",
    "jobs/overlap",
    "jobs/overlap_queue",
    "jobs/planning",
    "jobs/zones",
    "keys",
    "limits/admission",
    "limits/counting",
    "limits/demand",
    "limits/idle_shares",
    "limits/parking",
    "limits/shares",
    "limits/usage",
    "lists",
    "partition",
    "quarantine",
    "reading",
    "ready_sets",
    "record",
    "records/active_mark",
    "records/aside_entry",
    "records/context_id",
    "records/context_options",
    "records/context_record",
    "records/dead_record",
    "records/dedup_record",
    "records/ended_part",
    "records/failed_attempt",
    "records/fan_record",
    "records/group_pause",
    "records/held_value",
    "records/job_record",
    "records/ledger_record",
    "records/limit_name",
    "records/limit_share",
    "records/log_entry",
    "records/placement_name",
    "records/queue_name",
    "records/redis_key",
    "records/roster_record",
    "records/route_entry",
    "records/session_record",
    "records/settled_record",
    "records/token_record",
    "records/trace_field",
    "records/waiting_part",
    "records/wheel_entry",
    "replies",
    "tokens",
    "turns/due_entries",
    "turns/fresh_claims",
    "turns/start_deadlines",
    "turns/visits",
    "turns/waiting_claims",
    "turns/written",
    "zsets"
];
