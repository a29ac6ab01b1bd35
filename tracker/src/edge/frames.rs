//! The frames of an HTTP/2 connection, seen by their headers only, and how many of those that carry nothing a peer may send.
//!
//! The library that speaks HTTP/2 serves frames of SETTINGS, PING, PRIORITY and WINDOW_UPDATE as fast as they come. A client sends a few for
//! each page of an answer.

use std::time::Duration;

use tokio::time::Instant;

/// `PRI * HTTP/2.0…`, and the header of the frame behind it.
pub(super) const PREFACE: usize = 24;
const HEADER: usize = 9;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const CONTINUATION: u8 = 9;

/// Frames at once, and in a second from then on. A worker that reads 300 MiB in a second opens its windows 20,000 times.
const IDLE: Bucket = Bucket::new(50_000, 20_000);
/// Of those that have to be answered.
const SETTING: Bucket = Bucket::new(1_000, 100);

/// Where in a frame the connection is, and what its peer may still send.
#[derive(Debug)]
pub(super) struct Frames {
    /// Of the preface, or of a frame's content, that is passed over.
    skip: usize,
    header: [u8; HEADER],
    have: usize,
    idle: Bucket,
    settings: Bucket,
}

/// A peer sends more frames without content than any client needs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flood;

impl Frames {
    pub(super) fn new() -> Self {
        Self {
            skip: PREFACE,
            header: [0; HEADER],
            have: 0,
            idle: IDLE,
            settings: SETTING,
        }
    }

    /// Takes what was read.
    pub(super) fn take(&mut self, mut bytes: &[u8]) -> Result<(), Flood> {
        let (mut idle, mut settings) = (0, 0);
        while !bytes.is_empty() {
            if self.skip > 0 {
                let passed = self.skip.min(bytes.len());
                self.skip -= passed;
                bytes = bytes.get(passed..).unwrap_or_default();
                continue;
            }
            let Some(slot) = self.header.get_mut(self.have..) else {
                return Ok(());
            };
            let taken = slot.len().min(bytes.len());
            let (now, rest) = bytes.split_at(taken);
            for (slot, byte) in slot.iter_mut().zip(now) {
                *slot = *byte;
            }
            self.have += taken;
            bytes = rest;
            if self.have < HEADER {
                return self.spend(idle, settings);
            }
            self.have = 0;
            let [high, middle, low, kind, ..] = self.header;
            let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
            self.skip = length;
            match kind {
                HEADERS | CONTINUATION => {}
                DATA if length > 0 => {}
                SETTINGS => settings += 1,
                _ => idle += 1,
            }
        }
        self.spend(idle, settings)
    }

    fn spend(&mut self, idle: u32, settings: u32) -> Result<(), Flood> {
        if idle + settings == 0 {
            return Ok(());
        }
        let now = Instant::now();
        let within = self.idle.take(idle, now) & self.settings.take(settings, now);
        if within { Ok(()) } else { Err(Flood) }
    }
}

/// So many at once, and so many more in each second.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    most: u32,
    per_second: u32,
    left: u32,
    since: Option<Instant>,
}

impl Bucket {
    const fn new(most: u32, per_second: u32) -> Self {
        Self {
            most,
            per_second,
            left: most,
            since: None,
        }
    }

    fn take(&mut self, count: u32, now: Instant) -> bool {
        let since = *self.since.get_or_insert(now);
        let millis = u64::try_from(now.duration_since(since).as_millis()).unwrap_or(u64::MAX);
        let more = millis.saturating_mul(u64::from(self.per_second)) / 1_000;
        if more > 0 {
            let left = u64::from(self.left)
                .saturating_add(more)
                .min(u64::from(self.most));
            self.left = u32::try_from(left).unwrap_or(self.most);
            // What is not a whole frame yet is counted from.
            let whole = more.saturating_mul(1_000) / u64::from(self.per_second);
            self.since = since.checked_add(Duration::from_millis(whole));
        }
        match self.left.checked_sub(count) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, content: usize) -> Vec<u8> {
        let length = content.to_be_bytes();
        let mut bytes = length[length.len() - 3..].to_vec();
        bytes.extend([kind, 0, 0, 0, 0, 0]);
        bytes.resize(HEADER + content, 0xff);
        bytes
    }

    fn started() -> Frames {
        let mut frames = Frames::new();
        frames.take(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
        frames
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_noticed_however_it_is_cut_and_content_is_free() {
        for kind in [SETTINGS, 2, 6, 8, DATA] {
            let most = if kind == SETTINGS {
                SETTING.most
            } else {
                IDLE.most
            } as usize;
            let content = if kind == DATA { 0 } else { 4 };
            let mut frames = started();
            frames.take(&frame(DATA, 70_000).repeat(3)).unwrap();
            frames.take(&frame(kind, content).repeat(most)).unwrap();
            assert_eq!(frames.take(&frame(kind, content)), Err(Flood), "{kind}");
            let mut frames = started();
            let all = frame(kind, content).repeat(most + 1);
            let cut = all.chunks(7).map(|piece| frames.take(piece));
            assert_eq!(cut.filter(Result::is_err).count(), 1, "{kind}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_sent_slowly_never_ends() {
        let mut frames = started();
        for _ in 0..100 {
            frames
                .take(&frame(SETTINGS, 0).repeat(SETTING.per_second as usize))
                .unwrap();
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        frames
            .take(&frame(SETTINGS, 0).repeat(SETTING.most as usize))
            .unwrap();
    }
}
