//! Sorted sets.

use super::arguments::{Answer, arity, exactly, is_word, keyed, syntax};
use crate::db::Db;
use crate::number::{Score, integer, span};
use crate::reply::Reply;
use crate::sorted::{Bound, Sorted};

pub(super) fn zcard(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [key] = exactly(arguments)?;
    Ok(Reply::count(db.read::<Sorted>(key)?.map_or(0, Sorted::len)))
}

pub(super) fn zcount(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [key, low, high] = exactly(arguments)?;
    let (low, high) = (Bound::parse(low)?, Bound::parse(high)?);
    let found = db.read::<Sorted>(key)?;
    Ok(Reply::count(
        found.map_or(0, |sorted| sorted.count(low, high)),
    ))
}

pub(super) fn zscore(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [key, member] = exactly(arguments)?;
    let score = db
        .read::<Sorted>(key)?
        .and_then(|sorted| sorted.score(member));
    Ok(score.map_or(Reply::Nil, |score| Reply::Bytes(score.print())))
}

/// How `ZADD` meets a member it knows.
#[derive(Default)]
struct Adding {
    lower_only: bool,
    greater_only: bool,
    new_only: bool,
    /// Answers with how many moved as well.
    counts_changes: bool,
}

impl Adding {
    fn allows(&self, before: Option<Score>, score: Score) -> bool {
        let Some(before) = before else {
            return true;
        };
        !(self.new_only
            || self.lower_only && score >= before
            || self.greater_only && score <= before)
    }
}

pub(super) fn zadd(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let (key, mut rest) = keyed(arguments)?;
    let mut adding = Adding::default();
    while let Some((word, others)) = rest.split_first() {
        if is_word(word, "LT") {
            adding.lower_only = true;
        } else if is_word(word, "GT") {
            adding.greater_only = true;
        } else if is_word(word, "NX") {
            adding.new_only = true;
        } else if is_word(word, "CH") {
            adding.counts_changes = true;
        } else {
            break;
        }
        rest = others;
    }
    let (pairs, odd) = rest.as_chunks::<2>();
    if pairs.is_empty() || !odd.is_empty() {
        return Err(syntax());
    }
    let mut parsed = Vec::with_capacity(pairs.len());
    for [score, member] in pairs {
        parsed.push((Score::parse(score)?, member));
    }
    let added = db.write::<Sorted, _>(key, |sorted| {
        let mut added = 0;
        for (score, member) in parsed {
            let before = sorted.score(member);
            if adding.allows(before, score) {
                let moved = adding.counts_changes && before != Some(score);
                added += usize::from(sorted.insert(score, member) || moved);
            }
        }
        added
    })?;
    Ok(Reply::count(added))
}

pub(super) fn zrem(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let (key, members) = keyed(arguments)?;
    if members.is_empty() {
        return Err(arity());
    }
    remove(db, key, |_| members.to_vec())
}

fn remove(db: &mut Db, key: &[u8], which: impl FnOnce(&Sorted) -> Vec<Vec<u8>>) -> Answer {
    if db.read::<Sorted>(key)?.is_none() {
        return Ok(Reply::Int(0));
    }
    let removed = db.write::<Sorted, _>(key, |sorted| {
        let members = which(sorted);
        members
            .iter()
            .filter(|member| sorted.remove(member))
            .count()
    })?;
    Ok(Reply::count(removed))
}

pub(super) fn zremrangebyrank(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [key, start, stop] = exactly(arguments)?;
    let (start, stop) = (integer(start)?, integer(stop)?);
    remove(db, key, |sorted| {
        let (first, count) = span(start, stop, sorted.len());
        let found = sorted.iter().skip(first).take(count);
        found.map(|(_, member)| member.clone()).collect()
    })
}

pub(super) fn zremrangebyscore(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [key, low, high] = exactly(arguments)?;
    let (low, high) = (Bound::parse(low)?, Bound::parse(high)?);
    remove(db, key, |sorted| {
        let found = sorted.between(low, high);
        found.map(|(_, member)| member.clone()).collect()
    })
}

pub(super) fn zpopmin(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let (key, rest) = keyed(arguments)?;
    let count = match rest {
        [] => 1,
        [count] => usize::try_from(integer(count)?).map_err(|_| syntax())?,
        _ => return Err(syntax()),
    };
    if db.read::<Sorted>(key)?.is_none() {
        return Ok(Reply::List(Vec::new()));
    }
    let popped = db.write::<Sorted, _>(key, |sorted| {
        let popped = std::iter::from_fn(|| sorted.pop_first()).take(count);
        popped
            .flat_map(|(score, member)| [Reply::Bytes(member), Reply::Bytes(score.print())])
            .collect()
    })?;
    Ok(Reply::List(popped))
}

/// What a range asks for besides its ends.
#[derive(Default)]
struct Asked {
    by_score: bool,
    by_name: bool,
    reversed: bool,
    with_scores: bool,
    limit: Option<(usize, usize)>,
}

impl Asked {
    fn parse(options: &[Vec<u8>]) -> Result<Self, String> {
        let mut asked = Self::default();
        let mut options = options.iter();
        while let Some(option) = options.next() {
            if is_word(option, "BYSCORE") {
                asked.by_score = true;
            } else if is_word(option, "BYLEX") {
                asked.by_name = true;
            } else if is_word(option, "REV") {
                asked.reversed = true;
            } else if is_word(option, "WITHSCORES") {
                asked.with_scores = true;
            } else if is_word(option, "LIMIT") {
                let skip = integer(options.next().ok_or_else(syntax)?)?;
                let count = integer(options.next().ok_or_else(syntax)?)?;
                // A negative count means all.
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                asked.limit = Some((usize::try_from(skip).map_err(|_| syntax())?, count));
            } else {
                return Err(syntax());
            }
        }
        if asked.limit.is_some() && !asked.by_score && !asked.by_name {
            return Err(syntax());
        }
        Ok(asked)
    }
}

/// The whole set at once, as a small one is answered.
pub(super) fn zscan(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let (key, rest) = keyed(arguments)?;
    let (cursor, options) = keyed(rest)?;
    integer(cursor).map_err(|_| "ERR invalid cursor".to_owned())?;
    match options {
        [] => {}
        [word, count] if is_word(word, "COUNT") => drop(integer(count)?),
        _ => return Err(syntax()),
    }
    let mut found = Vec::new();
    for (score, member) in db.read::<Sorted>(key)?.into_iter().flat_map(Sorted::iter) {
        found.extend([Reply::bytes(member), Reply::Bytes(score.print())]);
    }
    Ok(Reply::List(vec![Reply::bytes(b"0"), Reply::List(found)]))
}

pub(super) fn zlexcount(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let [key, start, stop] = exactly(arguments)?;
    let Some(sorted) = db.read::<Sorted>(key)? else {
        return Ok(Reply::Int(0));
    };
    Ok(Reply::count(by_name(sorted, start, stop, false)?.len()))
}

type Found<'a> = Vec<&'a (Score, Vec<u8>)>;

pub(super) fn zrange(db: &mut Db, arguments: &[Vec<u8>]) -> Answer {
    let (key, rest) = keyed(arguments)?;
    let [start, stop, options @ ..] = rest else {
        return Err(arity());
    };
    let asked = Asked::parse(options)?;
    let Some(sorted) = db.read::<Sorted>(key)? else {
        return Ok(Reply::List(Vec::new()));
    };
    let found = if asked.by_score {
        let (low, high) = if asked.reversed {
            (stop, start)
        } else {
            (start, stop)
        };
        let mut found: Found<'_> = sorted
            .between(Bound::parse(low)?, Bound::parse(high)?)
            .collect();
        if asked.reversed {
            found.reverse();
        }
        found
    } else if asked.by_name {
        by_name(sorted, start, stop, asked.reversed)?
    } else {
        let (first, count) = span(integer(start)?, integer(stop)?, sorted.len());
        if asked.reversed {
            sorted.iter().rev().skip(first).take(count).collect()
        } else {
            sorted.iter().skip(first).take(count).collect()
        }
    };
    let (skip, most) = asked.limit.unwrap_or((0, usize::MAX));
    let mut reply = Vec::new();
    for (score, member) in found.into_iter().skip(skip).take(most) {
        reply.push(Reply::bytes(member));
        if asked.with_scores {
            reply.push(Reply::Bytes(score.print()));
        }
    }
    Ok(Reply::List(reply))
}

/// Members by their bytes alone; all have one score.
fn by_name<'a>(
    sorted: &'a Sorted,
    start: &[u8],
    stop: &[u8],
    reversed: bool,
) -> Result<Found<'a>, String> {
    if reversed {
        return Err(syntax());
    }
    let from_start = |member: &[u8]| match start {
        b"-" => Ok(true),
        [b'[', name @ ..] => Ok(member >= name),
        [b'(', name @ ..] => Ok(member > name),
        _ => Err("ERR min or max not valid string range item".to_owned()),
    };
    let to_stop = |member: &[u8]| match stop {
        b"+" => Ok(true),
        [b'[', name @ ..] => Ok(member <= name),
        [b'(', name @ ..] => Ok(member < name),
        _ => Err("ERR min or max not valid string range item".to_owned()),
    };
    let mut found = Vec::new();
    for entry in sorted.iter() {
        if from_start(&entry.1)? && to_stop(&entry.1)? {
            found.push(entry);
        }
    }
    Ok(found)
}
