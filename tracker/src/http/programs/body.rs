//! The body of a request as it arrives: no longer than may be, whole in time, and with room in memory for what it becomes.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use bytes::Bytes;
use hyper::body::{Body as _, Incoming};
use tokio::sync::OwnedSemaphorePermit;

use crate::edge::Memory;
use crate::error::Error;
use crate::rates::Meter;

/// A body is there within this.
const WHOLE_WITHIN: Duration = Duration::from_secs(10);
/// A body of no more bytes is taken in without asking for memory.
const SMALL: usize = 64 << 10;
/// Of a body that is refused, so many bytes are still read, so that its sender comes to reading the answer.
const DRAINED_MAX: usize = 16 << 20;

/// What a body may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    /// Bytes at most; 0: there is none.
    pub(crate) most: usize,
    /// In memory it takes at most so many times its bytes.
    pub(crate) grows: usize,
}

/// Why there is no body.
#[derive(Debug)]
pub(crate) enum Unread {
    /// There is one where none belongs.
    Unasked,
    /// It has more than so many bytes.
    TooLarge(usize),
    /// It was not there within this.
    Late(Duration),
    /// It broke off.
    Cut,
    /// There is no memory for it now.
    NoRoom(Error),
}

/// The body, and the memory that is set aside for it. What comes is counted, also of a body that is refused.
pub(crate) async fn read_body(
    expected: Expected,
    headers: &HeaderMap,
    body: Incoming,
    (memory, meter): (&Memory, Option<&Meter>),
) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Unread> {
    let reading = read(expected, headers, body, (memory, meter));
    match tokio::time::timeout(WHOLE_WITHIN, reading).await {
        Ok(read) => read,
        Err(_) => Err(Unread::Late(WHOLE_WITHIN)),
    }
}

async fn read(
    expected: Expected,
    headers: &HeaderMap,
    mut body: Incoming,
    (memory, meter): (&Memory, Option<&Meter>),
) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Unread> {
    let most = expected.most;
    let told = body.size_hint().exact();
    let told = told.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    let waits = headers.contains_key(header::EXPECT);
    if told.is_some_and(|bytes| bytes > most && (waits || bytes > DRAINED_MAX)) {
        return Err(beyond(most));
    }
    let (mut whole, mut seen, mut kept) = (Vec::new(), 0_usize, None);
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(frame) = frame else {
            return Err(Unread::Cut);
        };
        let Ok(data) = frame.into_data() else {
            continue;
        };
        seen = seen.saturating_add(data.len());
        if let Some(meter) = meter {
            meter.count(data.len());
        }
        if seen > most {
            whole = Vec::new();
            if seen > DRAINED_MAX {
                break;
            }
            continue;
        }
        let bytes = told.unwrap_or(most).min(most);
        let first = seen > SMALL && kept.is_none();
        if first {
            kept = room(memory, bytes.saturating_mul(expected.grows)).await?;
        }
        if told == Some(data.len()) {
            // It came in one piece, and stays where it lies.
            return Ok((data, kept));
        }
        if first {
            // As its memory is set aside, it need not grow step by step.
            let more = told.map_or(0, |_| bytes.saturating_sub(whole.len()));
            whole.reserve_exact(more);
        }
        whole.extend_from_slice(&data);
    }
    if seen > most {
        return Err(beyond(most));
    }
    Ok((whole.into(), kept))
}

/// Waits for the memory that a body takes; for a short while, as others wait for theirs.
async fn room(memory: &Memory, bytes: usize) -> Result<Option<OwnedSemaphorePermit>, Unread> {
    let room = memory.set_aside(bytes);
    match tokio::time::timeout(WHOLE_WITHIN / 2, room).await {
        Ok(kept) => Ok(kept),
        Err(_) => {
            let why = "too many large requests arrive at once: try again in a moment";
            Err(Unread::NoRoom(Error::Busy(why.to_owned())))
        }
    }
}

fn beyond(most: usize) -> Unread {
    match most {
        0 => Unread::Unasked,
        most => Unread::TooLarge(most),
    }
}
