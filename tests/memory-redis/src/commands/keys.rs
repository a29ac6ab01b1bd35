//! Strings, lifetimes, and what concerns no key.

use super::arguments::{Answer, exactly, is_word, keyed, syntax};
use crate::db::{Db, Message, Text};
use crate::number::integer;
use crate::reply::Reply;

pub(super) fn time(db: &mut Db, _: &[Vec<u8>]) -> Answer {
    let (seconds, micros) = (db.now / 1_000, db.now % 1_000 * 1_000);
    let text = |number: u64| Reply::Bytes(number.to_string().into_bytes());
    Ok(Reply::List(vec![text(seconds), text(micros)]))
}

pub(super) fn spublish(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [channel, text] = exactly(arguments)?;
    let text_of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    db.published.push(Message {
        channel: text_of(channel),
        text: text_of(text),
    });
    // Who hears it is the caller's affair.
    Ok(Reply::Int(0))
}

pub(super) fn get(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [key] = exactly(arguments)?;
    Ok(Reply::optional(db.read::<Text>(key)?))
}

pub(super) fn strlen(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [key] = exactly(arguments)?;
    Ok(Reply::count(db.read::<Text>(key)?.map_or(0, Vec::len)))
}

pub(super) fn kind(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [key] = exactly(arguments)?;
    Ok(Reply::Status(db.kind(key)))
}

pub(super) fn pttl(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [key] = exactly(arguments)?;
    Ok(Reply::Int(db.left(key)))
}

/// Patterns that end with a star, or name a key.
pub(super) fn keys(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [pattern] = exactly(arguments)?;
    let (start, open) = pattern
        .strip_suffix(b"*")
        .map_or((pattern, false), |start| (start, true));
    if start
        .iter()
        .any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'\\'))
    {
        return Err(syntax());
    }
    let fits = |name: &Vec<u8>| name.starts_with(start) && (open || name == start);
    let names = db.names().into_iter().filter(fits);
    Ok(Reply::List(names.map(Reply::Bytes).collect()))
}

pub(super) fn exists(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    Ok(Reply::count(
        arguments.iter().filter(|key| db.exists(key)).count(),
    ))
}

pub(super) fn set(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let (key, rest) = keyed(arguments)?;
    let (text, options) = keyed(rest)?;
    let (mut only_new, mut expires, mut answers) = (false, None, false);
    let mut options = options.iter();
    while let Some(option) = options.next() {
        if is_word(option, "NX") {
            only_new = true;
        } else if is_word(option, "GET") {
            answers = true;
        } else if is_word(option, "PX") {
            let kept = integer(options.next().ok_or_else(syntax)?)?;
            let kept = u64::try_from(kept).ok().filter(|kept| *kept > 0);
            let kept = kept.ok_or("ERR invalid expire time in 'set' command")?;
            expires = Some(db.now + kept);
        } else {
            return Err(syntax());
        }
    }
    let before = if answers {
        Some(Reply::optional(db.read::<Text>(key)?))
    } else {
        None
    };
    if only_new && db.exists(key) {
        return Ok(before.unwrap_or(Reply::Nil));
    }
    db.put(key, text.to_vec(), expires);
    Ok(before.unwrap_or(Reply::Status("OK")))
}

pub(super) fn incr(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [key] = exactly(arguments)?;
    let before = db.read::<Text>(key)?.map_or(Ok(0), |text| integer(text))?;
    let now = before + 1;
    db.write::<Text, _>(key, |text| *text = now.to_string().into_bytes())?;
    Ok(Reply::Int(now))
}

pub(super) fn pexpire(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [key, kept] = exactly(arguments)?;
    let kept = u64::try_from(integer(kept)?).map_err(|_| syntax())?;
    let at = db.now + kept;
    Ok(Reply::flag(db.expire(key, at)))
}

pub(super) fn rename(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [from, to] = exactly(arguments)?;
    if db.rename(from, to) {
        Ok(Reply::Status("OK"))
    } else {
        Err("ERR no such key".to_owned())
    }
}

pub(super) fn rename_free(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [from, to] = exactly(arguments)?;
    if db.kind(from) == "none" {
        return Err("ERR no such key".to_owned());
    }
    let free = db.kind(to) == "none";
    Ok(Reply::Int(i64::from(free && db.rename(from, to))))
}

pub(super) fn del(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    Ok(Reply::count(
        arguments.iter().filter(|key| db.remove(key)).count(),
    ))
}

pub(super) fn flushall(db: &mut Db, _: &[Vec<u8>]) -> Answer {
    db.clear();
    Ok(Reply::Status("OK"))
}
