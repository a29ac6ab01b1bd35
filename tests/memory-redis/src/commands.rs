//! The commands, by the kind of their key. A word or an option that is not here is refused.

mod arguments;
mod hashes;
mod keys;
mod lists;
mod sorted_sets;
mod streams;

use crate::db::Db;
pub(crate) use arguments::Answer;

/// A command: its keys are the first argument, or all of them.
struct Command {
    run: fn(&mut Db, &[Vec<u8>]) -> Answer,
    writes: bool,
    keys: Keys,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    None,
    First,
    All,
}

fn find(name: &str) -> Option<Command> {
    let read = |run| Some(command(run, false, Keys::First));
    let write = |run| Some(command(run, true, Keys::First));
    match name {
        "TIME" => Some(command(keys::time, false, Keys::None)),
        "SPUBLISH" => Some(command(keys::spublish, false, Keys::First)),
        "GET" => read(keys::get),
        "STRLEN" => read(keys::strlen),
        "TYPE" => read(keys::kind),
        "PTTL" => read(keys::pttl),
        "KEYS" => Some(command(keys::keys, false, Keys::None)),
        "EXISTS" => Some(command(keys::exists, false, Keys::All)),
        "SET" => write(keys::set),
        "INCR" => write(keys::incr),
        "PEXPIRE" => write(keys::pexpire),
        "DEL" | "UNLINK" => Some(command(keys::del, true, Keys::All)),
        "RENAME" => Some(command(keys::rename, true, Keys::All)),
        "RENAMENX" => Some(command(keys::rename_free, true, Keys::All)),
        "FLUSHALL" => Some(command(keys::flushall, true, Keys::None)),
        "HGET" => read(hashes::hget),
        "HMGET" => read(hashes::hmget),
        "HGETALL" => read(hashes::hgetall),
        "HKEYS" => read(hashes::hkeys),
        "HLEN" => read(hashes::hlen),
        "HEXISTS" => read(hashes::hexists),
        "HSCAN" => read(hashes::hscan),
        "HSET" => write(hashes::hset),
        "HSETNX" => write(hashes::hsetnx),
        "HDEL" => write(hashes::hdel),
        "HINCRBY" => write(hashes::hincrby),
        "LLEN" => read(lists::llen),
        "LRANGE" => read(lists::lrange),
        "LINDEX" => read(lists::lindex),
        "RPUSH" => write(lists::rpush),
        "LPUSH" => write(lists::lpush),
        "LPOP" => write(lists::lpop),
        "LREM" => write(lists::lrem),
        "LTRIM" => write(lists::ltrim),
        "ZCARD" => read(sorted_sets::zcard),
        "ZCOUNT" => read(sorted_sets::zcount),
        "ZSCAN" => read(sorted_sets::zscan),
        "ZLEXCOUNT" => read(sorted_sets::zlexcount),
        "ZSCORE" => read(sorted_sets::zscore),
        "ZRANGE" => read(sorted_sets::zrange),
        "ZADD" => write(sorted_sets::zadd),
        "ZREM" => write(sorted_sets::zrem),
        "ZPOPMIN" => write(sorted_sets::zpopmin),
        "ZREMRANGEBYRANK" => write(sorted_sets::zremrangebyrank),
        "ZREMRANGEBYSCORE" => write(sorted_sets::zremrangebyscore),
        "XADD" => write(streams::xadd),
        "XDEL" => write(streams::xdel),
        "XLEN" => read(streams::xlen),
        "XRANGE" => read(streams::xrange),
        "XREVRANGE" => read(streams::xrevrange),
        _ => None,
    }
}

fn command(run: fn(&mut Db, &[Vec<u8>]) -> Answer, writes: bool, keys: Keys) -> Command {
    Command { run, writes, keys }
}

fn unknown(name: &str) -> String {
    format!("ERR unknown command '{name}'")
}

/// Runs a command from outside.
pub(crate) fn run(db: &mut Db, name: &str, arguments: &[Vec<u8>]) -> Answer {
    let command = find(name).ok_or_else(|| unknown(name))?;
    (command.run)(db, arguments)
}

/// Runs a command of a script that may not write when it is a reader, and may touch keys of its own hash tag only.
pub(crate) fn run_in_script(
    db: &mut Db,
    (name, arguments): (&str, &[Vec<u8>]),
    (tag, reader): (Option<&[u8]>, bool),
) -> Answer {
    let command = find(name).ok_or_else(|| unknown(name))?;
    if reader && command.writes {
        return Err("ERR Write commands are not allowed from read-only scripts.".to_owned());
    }
    let touched = match command.keys {
        Keys::None => 0,
        Keys::First => 1,
        Keys::All => arguments.len(),
    };
    let elsewhere = |key: &Vec<u8>| tag.is_some_and(|tag| tag_of(key) != tag);
    if arguments.iter().take(touched).any(elsewhere) {
        return Err(
            "ERR Script attempted to access keys that do not hash to the same slot".to_owned(),
        );
    }
    (command.run)(db, arguments)
}

/// What decides about a key's place in a cluster: what is between its first braces, or all of it.
pub(crate) fn tag_of(key: &[u8]) -> &[u8] {
    let Some(open) = key.iter().position(|byte| *byte == b'{') else {
        return key;
    };
    let inside = key.get(open + 1..).unwrap_or_default();
    match inside.iter().position(|byte| *byte == b'}') {
        Some(close) if close > 0 => inside.get(..close).unwrap_or_default(),
        _ => key,
    }
}
