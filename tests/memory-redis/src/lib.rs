//! The part of Redis that Tickwheel's scripts use, in memory, with a clock that the caller sets.
//!
//! Scripts are run by the same Lua as in Redis, with the same conversions of arguments and replies. It knows the commands and options that
//! the scripts and the tests use and refuses everything else, so that nothing is simulated by guess. Keys of another hash tag than the
//! script's own are refused as a cluster would. The model test of the store holds it against a real server, reply by reply and key by key.
//!
//! What it does not have: replication, persistence, connections (the caller is the only one), and memory limits beyond a switch.

mod commands;
mod db;
mod engine;
mod number;
mod reply;
mod sorted;
mod stream;

use std::cell::RefCell;
use std::rc::Rc;

pub use db::Message;
pub use reply::Reply;

use db::Db;
use engine::Engine;

/// A server without a network. Not shared between threads.
#[derive(Debug)]
pub struct MemoryRedis {
    db: Rc<RefCell<Db>>,
    engine: Engine,
}

impl MemoryRedis {
    /// An empty one, its clock at zero.
    ///
    /// # Errors
    /// When Lua cannot be set up.
    pub fn new() -> Result<Self, String> {
        let db = Rc::new(RefCell::new(Db::default()));
        let engine = Engine::new(&db)?;
        Ok(Self { db, engine })
    }

    /// Sets the clock, in ms since the Unix epoch. It may be set back.
    pub fn set_clock_ms(&self, now: u64) {
        self.db.borrow_mut().now = now;
    }

    /// The clock, in ms.
    #[must_use]
    pub fn clock_ms(&self) -> u64 {
        self.db.borrow().now
    }

    /// Whether scripts that may not run on a full server are refused.
    pub fn set_full(&self, full: bool) {
        self.db.borrow_mut().full = full;
    }

    /// Runs a command: its name and its arguments.
    pub fn command(&mut self, words: &[&[u8]]) -> Reply {
        let Some((name, arguments)) = words.split_first() else {
            return Reply::error("ERR empty command");
        };
        let name = String::from_utf8_lossy(name).to_ascii_uppercase();
        let text = |word: &[u8]| String::from_utf8_lossy(word).into_owned();
        match (name.as_str(), arguments) {
            ("EVAL", [script, count, rest @ ..]) => match self.engine.load(&text(script)) {
                Ok(sha1) => self.evaluate(&sha1, count, rest),
                Err(wrong) => Reply::error(wrong),
            },
            ("EVALSHA", [sha1, count, rest @ ..]) => self.evaluate(&text(sha1), count, rest),
            ("FCALL", [name, count, rest @ ..]) => match split(count, rest) {
                Some((keys, arguments)) => self.fcall(&text(name), keys, arguments),
                None => too_many_keys(),
            },
            ("FUNCTION", [what, .., library]) if what.eq_ignore_ascii_case(b"LOAD") => {
                match self.engine.load_library(&text(library)) {
                    Ok(()) => Reply::Status("OK"),
                    Err(wrong) => Reply::error(wrong),
                }
            }
            ("SCRIPT", [what, script]) if what.eq_ignore_ascii_case(b"LOAD") => {
                match self.engine.load(&text(script)) {
                    Ok(sha1) => Reply::Bytes(sha1.into_bytes()),
                    Err(wrong) => Reply::error(wrong),
                }
            }
            _ => {
                let arguments: Vec<Vec<u8>> = arguments.iter().map(|word| word.to_vec()).collect();
                let mut db = self.db.borrow_mut();
                commands::run(&mut db, &name, &arguments).unwrap_or_else(Reply::Error)
            }
        }
    }

    fn evaluate(&mut self, sha1: &str, count: &[u8], rest: &[&[u8]]) -> Reply {
        match split(count, rest) {
            Some((keys, arguments)) => self.evalsha(sha1, keys, arguments),
            None => too_many_keys(),
        }
    }

    /// Makes a library of functions known; one of the same name has the same text.
    ///
    /// # Errors
    /// When it does not compile.
    pub fn load_library(&mut self, library: &str) -> Result<(), String> {
        self.engine.load_library(library)
    }

    /// Runs a function of a library that is known.
    pub fn fcall(&mut self, name: &str, keys: &[&[u8]], arguments: &[&[u8]]) -> Reply {
        self.engine.fcall(&self.db, name, keys, arguments)
    }

    /// Makes a script known; answers with its digest.
    ///
    /// # Errors
    /// When it does not compile.
    pub fn load(&mut self, script: &str) -> Result<String, String> {
        self.engine.load(script)
    }

    /// Whether a script of this digest is known.
    #[must_use]
    pub fn knows(&self, sha1: &str) -> bool {
        self.engine.knows(sha1)
    }

    /// Runs a known script.
    pub fn evalsha(&mut self, sha1: &str, keys: &[&[u8]], arguments: &[&[u8]]) -> Reply {
        self.engine.run(&self.db, sha1, keys, arguments)
    }

    /// Forgets all scripts and libraries, as a restart without data does.
    pub fn forget_scripts(&mut self) {
        self.engine.forget();
    }

    /// Forgets every key.
    pub fn forget_keys(&self) {
        self.db.borrow_mut().clear();
    }

    /// What was published since the last call, oldest first.
    pub fn take_published(&self) -> Vec<Message> {
        std::mem::take(&mut self.db.borrow_mut().published)
    }

    /// The keys that were written since the last call.
    pub fn take_changed(&self) -> Vec<String> {
        let changed = std::mem::take(&mut self.db.borrow_mut().changed);
        changed
            .into_iter()
            .map(|key| String::from_utf8_lossy(&key).into_owned())
            .collect()
    }

    /// What a key is, as `TYPE` calls it.
    #[must_use]
    pub fn kind(&self, key: &str) -> &'static str {
        self.db.borrow().kind(key.as_bytes())
    }

    /// One key, as [`below`](Self::below) has it; `Nil` when there is none.
    #[must_use]
    pub fn look(&self, key: &str) -> (Reply, i64) {
        self.db.borrow().look(key.as_bytes())
    }

    /// The keys whose names begin with `prefix`, in their order, as a test looks at them: a hash and a sorted set as their pairs, a list as
    /// it is, a stream as the fields of its entries, a string as its bytes; each with the ms it has left, -1 for ever.
    #[must_use]
    pub fn below(&self, prefix: &str) -> Vec<(String, Reply, i64)> {
        let db = self.db.borrow();
        let names = db.names_below(prefix.as_bytes());
        names
            .map(|name| {
                let (found, left) = db.look(name);
                (String::from_utf8_lossy(name).into_owned(), found, left)
            })
            .collect()
    }
}

/// Words of a command.
type Words<'a, 'b> = &'a [&'b [u8]];

/// Keys and arguments of a call.
fn split<'a, 'b>(count: &[u8], rest: Words<'a, 'b>) -> Option<(Words<'a, 'b>, Words<'a, 'b>)> {
    let count = str::from_utf8(count).ok()?.parse().ok()?;
    rest.split_at_checked(count)
}

fn too_many_keys() -> Reply {
    Reply::error("ERR Number of keys can't be greater than number of args")
}
