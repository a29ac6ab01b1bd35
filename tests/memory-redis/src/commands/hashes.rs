//! Hashes.

use super::arguments::{Answer, arity, exactly, is_word, keyed, syntax};
use crate::db::{Db, Hash};
use crate::number::integer;
use crate::reply::Reply;

pub(super) fn hget(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [key, field] = exactly(arguments)?;
    Ok(Reply::optional(
        db.read::<Hash>(key)?.and_then(|hash| hash.get(field)),
    ))
}

pub(super) fn hmget(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let (key, fields) = keyed(arguments)?;
    if fields.is_empty() {
        return Err(arity());
    }
    let hash = db.read::<Hash>(key)?;
    let value = |field: &Vec<u8>| Reply::optional(hash.and_then(|hash| hash.get(field)));
    Ok(Reply::List(fields.iter().map(value).collect()))
}

fn pairs(hash: Option<&Hash>) -> Vec<Reply> {
    let fields = hash.into_iter().flat_map(|hash| &hash.fields);
    fields
        .flat_map(|(name, value)| [Reply::bytes(name), Reply::bytes(value)])
        .collect()
}

pub(super) fn hgetall(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [key] = exactly(arguments)?;
    Ok(Reply::List(pairs(db.read::<Hash>(key)?)))
}

pub(super) fn hkeys(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [key] = exactly(arguments)?;
    let fields = db
        .read::<Hash>(key)?
        .into_iter()
        .flat_map(|hash| &hash.fields);
    Ok(Reply::List(
        fields.map(|(name, _)| Reply::bytes(name)).collect(),
    ))
}

pub(super) fn hlen(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [key] = exactly(arguments)?;
    Ok(Reply::count(
        db.read::<Hash>(key)?.map_or(0, |hash| hash.fields.len()),
    ))
}

pub(super) fn hexists(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [key, field] = exactly(arguments)?;
    let found = db.read::<Hash>(key)?.and_then(|hash| hash.get(field));
    Ok(Reply::flag(found.is_some()))
}

/// All in one page, as Redis scans small hashes.
pub(super) fn hscan(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let (key, rest) = keyed(arguments)?;
    let (cursor, options) = keyed(rest)?;
    integer(cursor).map_err(|_| "ERR invalid cursor".to_owned())?;
    match options {
        [] => {}
        [word, count] if is_word(word, "COUNT") => drop(integer(count)?),
        _ => return Err(syntax()),
    }
    let found = pairs(db.read::<Hash>(key)?);
    Ok(Reply::List(vec![Reply::bytes(b"0"), Reply::List(found)]))
}

pub(super) fn hset(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let (key, fields) = keyed(arguments)?;
    let (pairs, odd) = fields.as_chunks::<2>();
    if pairs.is_empty() || !odd.is_empty() {
        return Err(arity());
    }
    let added = db.write::<Hash, _>(key, |hash| {
        pairs
            .iter()
            .filter(|[field, value]| hash.set(field, value))
            .count()
    })?;
    Ok(Reply::count(added))
}

pub(super) fn hsetnx(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [key, field, value] = exactly(arguments)?;
    let known = db
        .read::<Hash>(key)?
        .is_some_and(|hash| hash.get(field).is_some());
    if !known {
        db.write::<Hash, _>(key, |hash| hash.set(field, value))?;
    }
    Ok(Reply::flag(!known))
}

pub(super) fn hdel(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let (key, fields) = keyed(arguments)?;
    if fields.is_empty() {
        return Err(arity());
    }
    let removed = db.write::<Hash, _>(key, |hash| {
        fields.iter().filter(|field| hash.remove(field)).count()
    })?;
    Ok(Reply::count(removed))
}

pub(super) fn hincrby(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [key, field, by] = exactly(arguments)?;
    let by = integer(by)?;
    let before = db.read::<Hash>(key)?.and_then(|hash| hash.get(field));
    let before = before.map_or(Ok(0), |text| {
        integer(text).map_err(|_| "ERR hash value is not an integer".to_owned())
    })?;
    let now = before
        .checked_add(by)
        .ok_or_else(|| "ERR increment or decrement would overflow".to_owned())?;
    db.write::<Hash, _>(key, |hash| hash.set(field, now.to_string().as_bytes()))?;
    Ok(Reply::Int(now))
}
