//! Every fault: how it is provoked, what is expected, and the code that does both.

use std::fmt;
use std::pin::Pin;

use anyhow::Result;

use super::case::Case;
use super::faults::{
    clocks, garbage, networks, redis, reports, silent, start, stores, trackers, workers,
};

/// What provokes and checks a fault.
pub type Script = for<'a> fn(&'a mut Case) -> Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// A row of the catalogue.
#[derive(Clone, Copy)]
pub struct Fault {
    /// Its number.
    pub id: &'static str,
    /// In a few words.
    pub title: &'static str,
    /// How the rig brings it about.
    pub provoked: &'static str,
    /// What is checked, besides what holds after every fault.
    pub expected: &'static str,
    /// Does it.
    pub run: Script,
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fault")
            .field("id", &self.id)
            .field("title", &self.title)
            .finish_non_exhaustive()
    }
}

macro_rules! catalogue {
    ($($id:literal $title:literal, $provoked:literal, $expected:literal => $run:path;)*) => {
        /// The faults, by number.
        pub const CATALOGUE: &[Fault] = &[$(Fault {
            id: $id,
            title: $title,
            provoked: $provoked,
            expected: $expected,
            run: |case| Box::pin($run(case)),
        }),*];
    };
}

/// The fault of this number, in any case of its letter.
#[must_use]
pub fn find(id: &str) -> Option<&'static Fault> {
    CATALOGUE
        .iter()
        .find(|fault| fault.id.eq_ignore_ascii_case(id))
}

catalogue! {
    "F01" "tracker killed between claim and send",
        "its frames are held up for 150 ms, then `kill -9`; each of three trackers",
        "what it had claimed starts within 1.5 s" => trackers::f01;
    "F02" "tracker killed after send, before anything was announced",
        "`kill -9` while handlers run that it gave out a moment ago; each of three",
        "nothing runs again; outcomes arrive through another tracker; no start later than 1.5 s" => trackers::f02;
    "F03" "tracker killed with many streams",
        "`kill -9` with 200 workers connected and 2,000 handlers running",
        "all workers are back, nothing runs again" => trackers::f03;
    "F04" "rolling restart under load",
        "SIGTERM and restart, each tracker twice",
        "exit 0 within 10 s, nothing runs again, no start later than 1.5 s" => trackers::f04;
    "F05" "tracker frozen for more than two dispatch leases",
        "SIGSTOP for 5 s, SIGCONT; twice",
        "what it sends too late counts for nothing; no start later than 4 s" => trackers::f05;
    "F06" "four trackers race",
        "20,000 contexts due at one instant",
        "each runs once" => trackers::f06;
    "F07" "worker killed with its handlers",
        "`kill -9`; twice",
        "its contexts run elsewhere within 3 s" => workers::f07;
    "F08" "worker told to stop",
        "SIGTERM with 20 handlers running; twice",
        "exit 0, nothing runs again, no start later than 1.5 s" => workers::f08;
    "F09" "worker half open",
        "the proxies carry nothing between it and any tracker",
        "its contexts run elsewhere within lease + 1 s; its handlers are told that they are fenced" => workers::f09;
    "F10" "worker frozen beyond its leases",
        "SIGSTOP until its contexts run elsewhere, SIGCONT",
        "elsewhere within lease + 1 s; handlers are told that they are fenced; one outcome counts" => workers::f10;
    "F11" "handler panics",
        "12 contexts that always panic, 4 permits",
        "ended as failed with the message; no permit is lost" => workers::f11;
    "F12" "handler never returns",
        "it holds its thread; the context has a timeout of 1 s and a grace of 0.5 s",
        "ended as timed out within 3.5 s" => workers::f12;
    "F13" "poison context",
        "a handler that aborts its process, six workers, 50 attempts allowed",
        "at most 3 workers die; it is among the dead" => workers::f13;
    "F14" "report repeated",
        "a worker settles the same attempt three times",
        "the first counts, the others are answered as already settled; one row of history" => reports::f14;
    "F15" "reports that cannot be delivered",
        "the only worker is cut off while 20 handlers end: 3 s, then 60 s",
        "delivered after the short cut without a second run; after the long one each context ends once" => reports::f15;
    "F16" "acknowledgements lost",
        "workers hear trackers but not the reverse for 0.8 s, then every stream breaks; four times",
        "nothing runs again" => reports::f16;
    "F17" "Redis killed",
        "`kill -9`, back after 0.5 s and 2 s with its append-only file",
        "handlers start again within 3 s" => redis::f17;
    "F18" "script cache flushed",
        "SCRIPT FLUSH 60 times under load",
        "no call fails" => redis::f18;
    "F21" "Redis hung",
        "SIGSTOP for 27 s and more, with handlers running",
        "calls end as unavailable, readiness is 503, no handler loses its lease, handlers start again within 3 s" => redis::f21;
    "F22" "Redis busy",
        "somebody's script runs for 6 s, `busy-reply-threshold` 200 ms",
        "ridden out: nothing runs again, handlers start again within 3 s" => redis::f22;
    "F23" "Redis out of memory",
        "`maxmemory` below use while 400 contexts run and wait",
        "submissions get RESOURCE_EXHAUSTED; all 400 are claimed, renewed and settled meanwhile" => redis::f23;
    "F25" "Redis' disk full",
        "the append-only file on a file system of 64 MB that is filled up",
        "submissions get UNAVAILABLE, readiness is 503; all goes on when there is room" => redis::f25;
    "F27" "tracker cut off from Redis",
        "its proxy to Redis carries nothing for 14 s; handlers run longer than that",
        "readiness is 503, handlers keep their leases, no start later than 4.5 s" => networks::f27;
    "F28" "worker cut off from one tracker",
        "nothing is carried between them for 14 s; handlers run longer than that",
        "nothing runs again, no start later than 4.5 s" => networks::f28;
    "F29" "clocks of trackers off",
        "one an hour ahead, one an hour behind, then the other way round",
        "nothing early, nothing missed, no start later than 1 s" => clocks::f29;
    "F30" "Redis' clock jumps",
        "an hour ahead, back, and ahead again",
        "due times fire once by their misfire policy, none twice; handlers keep their leases" => clocks::f30;
    "F33" "eight hours down",
        "trackers and workers killed, Redis' clock eight hours on; jobs of one minute",
        "each due time is in the ledger; 0, 1 and 50 fire by policy, and the minute's own" => clocks::f33;
    "F47" "nobody to work",
        "a group without a worker, then one with a single permit",
        "ready with the reason, no attempt used up; runs when a worker comes" => start::f47;
    "F48" "lying worker",
        "four billion permits, an id that lives already, handlers it does not know, reports of attempts it was never given",
        "permits are bounded, the older stream ends, lies are answered as stale and change nothing" => reports::f48;
    "F55" "store of another version",
        "the schema in the store is 99, 0, `x`",
        "the tracker does not start, and says which version is needed" => start::f55;
    "F56" "wake messages' connection killed",
        "CLIENT KILL TYPE pubsub five times under load, twice within 50 ms",
        "nothing runs again; in the silence after it every tracker hears every partition" => silent::f56;
    "F57" "store emptied under load",
        "FLUSHALL while contexts wait and run; `tickwheel store adopt --yes` after a while, and the jobs applied again",
        "readiness is 503 within 2.5 s, with one line in each log; calls are refused; green again within 3 s of the adoption without a \
         restart; lost is exactly what was in the store, and its handlers are told" => stores::f57;
    "F58" "password changed and changed back",
        "`requirepass`, and every connection killed: for 1 s, then for 6 s",
        "readiness is 503 meanwhile; handlers start again within 3 s" => silent::f58;
    "F59" "garbage in every kind of key",
        "records that no script writes in each key of one partition and of the cluster, then keys of wrong types; later check, repair, check",
        "the partition goes on, the others are as late as before, turns put garbage aside, trackers move keys of wrong types; `store repair`, and \
         by hand what docs/operations.md leaves to a person, make `store check` clean" => garbage::f59;
    "F60" "old backup restored beside running trackers",
        "`redis-cli --rdb` under load; 30 s later Redis is killed and restored as docs/backup.md has it; `tickwheel store adopt --yes`",
        "the older copy is refused until it is adopted; what was accepted before the backup ends, what came after is gone, and reports of \
         attempts that are gone change nothing" => stores::f60;
    "F61" "tracker whose loop stands still",
        "every thread of its runtime sleeps for 3 s; each of three",
        "no start later than 4 s" => silent::f61;
    "F62" "handler that blocks its worker's loop",
        "a handler computes for 5 s on the only thread of its worker, 2 attempts",
        "it ends as failed, and the failure says that a handler may block the loop" => silent::f62;
}
