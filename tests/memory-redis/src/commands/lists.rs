//! Lists.

use super::arguments::{Answer, arity, exactly, keyed};
use crate::db::{Db, List};
use crate::number::{integer, span};
use crate::reply::Reply;

pub(super) fn llen(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [key] = exactly(arguments)?;
    Ok(Reply::count(db.read::<List>(key)?.map_or(0, List::len)))
}

pub(super) fn lrange(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [key, start, stop] = exactly(arguments)?;
    let (start, stop) = (integer(start)?, integer(stop)?);
    let Some(list) = db.read::<List>(key)? else {
        return Ok(Reply::List(Vec::new()));
    };
    let (first, count) = span(start, stop, list.len());
    let items = list.iter().skip(first).take(count);
    Ok(Reply::List(items.map(|item| Reply::bytes(item)).collect()))
}

pub(super) fn rpush(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let (key, items) = keyed(arguments)?;
    if items.is_empty() {
        return Err(arity());
    }
    let length = db.write::<List, _>(key, |list| {
        list.extend(items.iter().cloned());
        list.len()
    })?;
    Ok(Reply::count(length))
}

pub(super) fn lpush(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let (key, items) = keyed(arguments)?;
    if items.is_empty() {
        return Err(arity());
    }
    let length = db.write::<List, _>(key, |list| {
        for item in items {
            list.push_front(item.clone());
        }
        list.len()
    })?;
    Ok(Reply::count(length))
}

/// With a count, as scripts ask.
pub(super) fn lpop(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [key, count] = exactly(arguments)?;
    let count = usize::try_from(integer(count)?)
        .map_err(|_| "ERR value is out of range, must be positive".to_owned())?;
    if db.read::<List>(key)?.is_none() {
        return Ok(Reply::Nil);
    }
    let popped = db.write::<List, _>(key, |list| {
        let count = count.min(list.len());
        list.drain(..count).map(Reply::Bytes).collect()
    })?;
    Ok(Reply::List(popped))
}

pub(super) fn lindex(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [key, index] = exactly(arguments)?;
    let index = integer(index)?;
    let Some(list) = db.read::<List>(key)? else {
        return Ok(Reply::Nil);
    };
    let (first, count) = span(index, index, list.len());
    let item = list.get(first).filter(|_| count == 1);
    Ok(item.map_or(Reply::Nil, |item| Reply::bytes(item)))
}

/// Removes the first items that are equal, as many as `count` says; other counts are not needed.
pub(super) fn lrem(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [key, count, item] = exactly(arguments)?;
    let most = usize::try_from(integer(count)?)
        .ok()
        .filter(|most| *most > 0)
        .ok_or("ERR LREM here takes a count above 0")?;
    if !db.exists(key) {
        return Ok(Reply::count(0));
    }
    let removed = db.write::<List, _>(key, |list| {
        let mut removed = 0;
        list.retain(|other| {
            let goes = removed < most && other == item;
            removed += usize::from(goes);
            !goes
        });
        removed
    })?;
    Ok(Reply::count(removed))
}

pub(super) fn ltrim(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [key, start, stop] = exactly(arguments)?;
    let (start, stop) = (integer(start)?, integer(stop)?);
    if db.exists(key) {
        db.write::<List, _>(key, |list| {
            let (first, count) = span(start, stop, list.len());
            *list = list.drain(..).skip(first).take(count).collect();
        })?;
    }
    Ok(Reply::Status("OK"))
}
