//! Streams.

use super::arguments::{Answer, arity, exactly, is_word, keyed, syntax};
use crate::db::Db;
use crate::number::integer;
use crate::reply::Reply;
use crate::stream::{Id, Stream};

/// `key MAXLEN ~ <most> * field value …`
pub(super) fn xadd(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let (key, rest) = keyed(arguments)?;
    let [maxlen, about, most, id, fields @ ..] = rest else {
        return Err(arity());
    };
    if !is_word(maxlen, "MAXLEN") || about != b"~" || id != b"*" {
        return Err(syntax());
    }
    if fields.is_empty() || !fields.len().is_multiple_of(2) {
        return Err(arity());
    }
    let most = usize::try_from(integer(most)?).map_err(|_| syntax())?;
    let now = db.now;
    let id = db.write::<Stream, _>(key, |stream| {
        let id = stream.add(now, fields);
        stream.trim(most);
        id
    })?;
    Ok(Reply::Bytes(id.print()))
}

/// `key id …`
pub(super) fn xdel(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let (key, ids) = keyed(arguments)?;
    let ids: Vec<Id> = ids.iter().map(|id| Id::low(id)).collect::<Result<_, _>>()?;
    if ids.is_empty() {
        return Err(arity());
    }
    if db.read::<Stream>(key)?.is_none() {
        return Ok(Reply::count(0));
    }
    let removed = db.write::<Stream, _>(key, |stream| {
        ids.into_iter().filter(|id| stream.remove(*id)).count()
    })?;
    Ok(Reply::count(removed))
}

pub(super) fn xlen(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [key] = exactly(arguments)?;
    let length = db
        .read::<Stream>(key)?
        .map_or(0, |stream| stream.entries().count());
    Ok(Reply::count(length))
}

pub(super) fn xrange(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    range(db, arguments, false)
}

pub(super) fn xrevrange(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    range(db, arguments, true)
}

fn range(db: &Db, arguments: &[Vec<u8>], reversed: bool) -> Answer {
    let (key, rest) = keyed(arguments)?;
    let [first, second, options @ ..] = rest else {
        return Err(arity());
    };
    let (low, high) = if reversed {
        (second, first)
    } else {
        (first, second)
    };
    let (low, high) = (Id::low(low)?, Id::high(high)?);
    let most = match options {
        [] => usize::MAX,
        [word, count] if is_word(word, "COUNT") => {
            usize::try_from(integer(count)?).unwrap_or(usize::MAX)
        }
        _ => return Err(syntax()),
    };
    let Some(stream) = db.read::<Stream>(key)? else {
        return Ok(Reply::List(Vec::new()));
    };
    let entry = |(id, fields): (&Id, &Vec<Vec<u8>>)| {
        let fields = fields.iter().map(|field| Reply::bytes(field)).collect();
        Reply::List(vec![Reply::Bytes(id.print()), Reply::List(fields)])
    };
    let found = stream.range(low, high);
    let found = if reversed {
        found.rev().take(most).map(entry).collect()
    } else {
        found.take(most).map(entry).collect()
    };
    Ok(Reply::List(found))
}
