//! The registry of Lua scripts: one constant per file of `lua/`, with the modules of `lua/lib` that it needs.
//!
//! A script is named by its path without the ending, `wheel/turn`; the name is in errors, metrics and tests.

mod library;
mod modules;

use std::sync::{LazyLock, OnceLock};

use fred::types::scripts::Script as Loaded;

pub use library::{INSPECTION, LIBRARY, LIBRARY_PREFIX, Library};
pub use modules::{MODULES, Module, needed_by, used_by};

/// Redis runs the whole text of a script in each call, and making a function costs as much as a small command. So a module is made when
/// something of it is first asked for: until then its table has a metatable that does it.
const LAZILY: &str = "\
local makers, LAZY = {}, {}
local function make(module)
  setmetatable(module, nil)
  makers[module](module)
  local begin = rawget(module, 'begin')
  if begin then
    begin()
  end
end
LAZY.__index = function(module, name)
  make(module)
  return module[name]
end
LAZY.__newindex = function(module, name, value)
  make(module)
  module[name] = value
end
local function lazily(make_module)
  local module = setmetatable({}, LAZY)
  makers[module] = make_module
  return module
end
";
/// Around the body: what a function takes from the one around it costs a copy, and from the outermost lines of a script a search among all
/// that other functions took from there.
const INNER: (&str, &str) = ("return (function()\n", "end)()\n");

/// A text made of pieces of files, that knows where each of its lines is from.
#[derive(Debug, Default)]
struct Linked {
    text: String,
    lines: usize,
    /// For each piece: its file, its first line in `text` (from 1), its first line in the file.
    pieces: Vec<(String, usize, usize)>,
}

impl Linked {
    fn glue(&mut self, text: &str) {
        self.text.push_str(text);
        self.lines += text.lines().count();
    }

    /// Adds `piece`, which begins at line `first` of `file`.
    fn add(&mut self, file: String, piece: &str, first: usize) {
        self.pieces.push((file, self.lines + 1, first));
        self.glue(piece);
        if !piece.ends_with('\n') {
            self.text.push('\n');
        }
    }

    /// Replaces `<mark>LINE` of this text in `error` by file and line.
    fn locate(&self, error: &str, mark: &str) -> String {
        let Some((before, after)) = error.split_once(mark) else {
            return error.to_owned();
        };
        let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
        let place = digits.parse().ok().and_then(|line| self.place(line));
        let Some((file, line)) = place else {
            return error.to_owned();
        };
        let rest = after.get(digits.len()..).unwrap_or_default();
        format!("{before}{file}:{line}{rest}")
    }

    /// File and line of a line of the text.
    fn place(&self, line: usize) -> Option<(&str, usize)> {
        let of_line = |(_, start, _): &&(String, usize, usize)| *start <= line;
        let (file, start, first) = self.pieces.iter().rev().find(of_line)?;
        Some((file, line - start + first))
    }
}

/// One file of `lua/`, ready to be called.
#[derive(Debug)]
pub struct Script {
    name: &'static str,
    source: &'static str,
    linked: Linked,
    loaded: Loaded,
    function: OnceLock<String>,
}

/// What stands behind the header of a script, and the line at which it begins.
fn body_of(source: &str) -> (&str, usize) {
    let at = source.find("\n]]\n").map_or(0, |at| at + "\n]]\n".len());
    let (header, body) = source.split_at(at);
    (body, header.lines().count() + 1)
}

impl Script {
    #[expect(
        clippy::panic,
        reason = "the modules of every script are looked up by a test"
    )]
    fn assemble(name: &'static str, source: &'static str) -> Self {
        let shebang = source.lines().next().unwrap_or_default();
        let modules = needed_by(source).unwrap_or_else(|why| panic!("lua/{name}.lua: {why}"));
        let mut linked = Linked::default();
        linked.glue(&format!("{shebang}\n"));
        linked.glue(LAZILY);
        for module in modules {
            let table = module.name();
            linked.glue(&format!("local {table} = lazily(function({table})\n"));
            let declared = format!("local {table} = {{}}\n");
            linked.add(
                module.file(),
                &module.source.replacen(&declared, "\n", 1),
                1,
            );
            linked.glue("end)\n");
        }
        linked.glue(INNER.0);
        let (body, first) = body_of(source);
        linked.add(format!("lua/{name}.lua"), body, first);
        linked.glue(INNER.1);
        let loaded = Loaded::from_lua(linked.text.as_str());
        Self {
            name,
            source,
            linked,
            loaded,
            function: OnceLock::new(),
        }
    }

    /// `area/verb`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The file as it is in `lua/`, with its header.
    #[must_use]
    pub fn source(&self) -> &'static str {
        self.source
    }

    /// What Redis is given.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.linked.text
    }

    /// False for the scripts whose flags say that they only read.
    #[must_use]
    pub fn writes(&self) -> bool {
        !self
            .source
            .lines()
            .next()
            .is_some_and(|shebang| shebang.contains("no-writes"))
    }

    /// The digest by which Redis knows the script.
    #[must_use]
    pub fn sha1(&self) -> &str {
        self.loaded.sha1()
    }
}

macro_rules! scripts {
    ($(#[$list_doc:meta])* $list:ident: $($(#[$doc:meta])* $constant:ident = $name:literal;)*) => {
        $($(#[$doc])* pub static $constant: LazyLock<Script> =
            LazyLock::new(|| Script::assemble($name, include_str!(concat!("../../lua/", $name, ".lua"))));)*

        $(#[$list_doc])*
        #[must_use]
        pub fn $list() -> Vec<&'static Script> {
            vec![$(&*$constant),*]
        }
    };
}

scripts! {
    /// What people ask with redis-cli; this crate calls none of it.
    inspection:
    /// Everything about a context.
    INSPECT_CONTEXT = "inspect/context";
    /// Why a context waits, or a job does not fire.
    INSPECT_EXPLAIN = "inspect/explain";
    /// Everything about a job.
    INSPECT_JOB = "inspect/job";
    /// How much is where in a partition.
    INSPECT_PARTITION = "inspect/partition";
    /// What a wheel turns next.
    INSPECT_WHEEL = "inspect/wheel";
    /// A worker and what it runs.
    INSPECT_WORKER = "inspect/worker";
}

scripts! {
    /// Every script that this crate calls, by name.
    all:
    /// Puts new contexts into the wheel or, when due, into their ready sets.
    SUBMIT = "wheel/submit";
    /// Puts a new context in place of the one that its dedup key stands for.
    REPLACE = "wheel/replace";
    /// Takes what is due and claims it for workers.
    TURN = "wheel/turn";
    /// What waits, without moving it.
    LOOK = "wheel/look";
    /// How much a partition holds.
    GAUGE = "wheel/gauge";
    /// What a partition's wheel has to come, by time.
    HISTOGRAM = "wheel/histogram";
    /// Reads a page of what users have in the wheel.
    UPCOMING = "wheel/upcoming";
    /// Makes a context of a job outside its trigger.
    FIRE = "wheel/fire";
    /// Takes delivered entries out of the outbox.
    DELIVERED = "wheel/delivered";
    /// Takes items that a running attempt maps.
    SPLIT = "fan/split";
    /// Shares a limit between the partitions.
    SHARE_LIMIT = "limit/share";
    /// Gives a group its limits.
    DEFINE_LIMITS = "limit/define";
    /// Pauses a group, or resumes it.
    PAUSE_GROUP = "limit/pause";
    /// Reads the limits of all groups.
    LIST_LIMITS = "limit/list";
    /// Keeps a new token.
    MAKE_TOKEN = "access/make";
    /// Gives a token another secret.
    ROTATE_TOKEN = "access/rotate";
    /// Lets a browser stand for a token.
    OPEN_SESSION = "access/open_session";
    /// Reads the session of a browser, and its token.
    GET_SESSION = "access/get_session";
    /// Ends the session of a browser.
    CLOSE_SESSION = "access/close_session";
    /// Forgets a token.
    REVOKE_TOKEN = "access/revoke";
    /// Reads a token.
    GET_TOKEN = "access/get";
    /// Reads a page of the tokens.
    LIST_TOKENS = "access/list";
    /// Notes when tokens were used.
    NOTE_TOKENS_USED = "access/note_used";
    /// Writes down what somebody did.
    APPEND_AUDIT = "audit/append";
    /// Reads what was done.
    LIST_AUDIT = "audit/list";
    /// Reads how much of limits is used.
    LIMIT_STATE = "limit/state";
    /// Reads how many contexts of a partition run under limits.
    LIMIT_USING = "limit/using";
    /// Splits a due context as its model says.
    OPEN_FAN = "fan/open";
    /// Ends an attempt of a context that cannot be split.
    REFUSE_FAN = "fan/refuse";
    /// Gives up on workers that are gone.
    UNPIN_FAN = "fan/unpin";
    /// Reads how far subtasks are.
    LIST_FAN = "fan/list";
    /// Reads the results that a reduce gets.
    FAN_RESULTS = "fan/results";
    /// Ends attempts.
    SETTLE = "lease/settle";
    /// Prolongs leases.
    RENEW = "lease/renew";
    /// Gives back attempts that did not start.
    RELEASE = "lease/release";
    /// What became of attempts that are not held.
    FATE = "lease/fate";
    /// Gives back what a dead tracker claimed and did not deliver.
    RECLAIM = "lease/reclaim";
    /// Takes back leases that ended.
    REAP = "lease/reap";
    /// Cancels a context wherever it is.
    CANCEL = "context/cancel";
    /// Reads one context.
    GET_CONTEXT = "context/get";
    /// Which of some contexts have ended.
    CONTEXT_ENDS = "context/ends";
    /// What ended since an earlier call.
    TAIL_ENDS = "context/tail";
    /// About how many contexts are in each place.
    COUNT_CONTEXTS = "context/count";
    /// Reads a page of contexts.
    LIST_CONTEXTS = "context/list";
    /// Lets dead contexts run again.
    RETRY_CONTEXT = "context/retry";
    /// Reads a page of the dead.
    LIST_DEAD = "dead/list";
    /// Forgets dead contexts.
    PURGE_DEAD = "dead/purge";
    /// Keeps what a running attempt says about itself.
    APPEND_LOG = "context/append_log";
    /// Reads a context's log.
    LOG_CONTEXT = "context/read_log";
    /// Keeps the history of a partition within its budgets.
    TEND_HISTORY = "history/tend";
    /// Reads the content of placements.
    GET_PLACEMENTS = "placement/get";
    /// Which placements a step of a place needs.
    LIST_PLACEMENTS = "placement/list";
    /// Lets placements go that nothing needs.
    SWEEP_PLACEMENTS = "placement/sweep";
    /// Registers or changes a job.
    APPLY_JOB = "job/apply";
    /// Lays due times into a job.
    PLAN_JOB = "job/plan";
    /// Lays due times in the place of a job's planned ones.
    REPLAN_JOB = "job/replan";
    /// Finds jobs that were planned with an older table of time zones.
    JOB_ZONES = "job/zones";
    /// Pauses or resumes a job.
    SET_JOB_STATE = "job/set_state";
    /// Finds `once` jobs that are over.
    JOBS_OVER = "job/over";
    /// Deletes a job.
    DELETE_JOB = "job/delete";
    /// Has one job told of another's ends.
    FOLLOW_JOB = "job/follow";
    /// Reads jobs.
    GET_JOBS = "job/get";
    /// Reads a step of one place.
    CHECK_PAGE = "check/page";
    /// Reads everything about some contexts.
    CHECK_CONTEXTS = "check/contexts";
    /// Reads everything about some split contexts.
    CHECK_FANS = "check/fans";
    /// Reads which limits do not count what runs under them.
    CHECK_LIMITS = "check/limits";
    /// Reads everything about some jobs.
    CHECK_JOBS = "check/jobs";
    /// Type, size and lifetime of some keys.
    CHECK_KEYS = "check/keys";
    /// Puts a context where it belongs.
    REPAIR_CONTEXT = "repair/context";
    /// Puts the counts of a split context right.
    REPAIR_FAN = "repair/fan";
    /// Counts anew what runs under limits.
    REPAIR_LIMITS = "repair/limits";
    /// Puts a job where it belongs.
    REPAIR_JOB = "repair/job";
    /// Puts the backlog, the lease scan or a delivery right.
    REPAIR_INDEX = "repair/index";
    /// Puts an unreadable record aside.
    REPAIR_QUARANTINE = "repair/quarantine";
    /// Cuts what is too long, and gives mortal keys an end.
    REPAIR_KEY = "repair/key";
    /// A heartbeat of a tracker and its workers.
    HEARTBEAT = "tracker/heartbeat";
    /// Forgets trackers and workers that left.
    RETIRE = "tracker/retire";
    /// Lets a worker take no more work, or some again.
    DRAIN = "tracker/drain";
    /// How many workers live.
    CENSUS = "tracker/census";
    /// Says how new the store is.
    EPOCH = "tracker/epoch";
    /// A small write behind those that are to be confirmed.
    MARK = "tracker/mark";
}
