//! The bounds of the SDK: whatever grows in a worker's memory has its greatest size here.
//!
//! Limits a tracker announces in its Welcome (result and log line bytes) are taken from there; these are the
//! worker's own.

use std::time::Duration;

/// The greatest number of handlers that a worker may run at once.
pub const CONCURRENCY_MAX: u32 = 65_536;
/// Permits per CPU when the user sets none: handlers mostly wait for something.
pub(crate) const PERMITS_PER_CPU: u32 = 16;

/// Unconfirmed outcomes kept, unless the user says otherwise.
pub(crate) const SPOOL_DEFAULT: usize = 100_000;
/// Confirmed attempts remembered, to answer a repeated dispatch with the outcome it had.
pub(crate) const REMEMBERED_MAX: usize = 8_192;
/// Result and error bytes of the remembered attempts together.
pub(crate) const REMEMBERED_BYTES_MAX: usize = 16 << 20;

/// The longest delay a handler may ask for: ten years. Trackers fail an attempt that asks for more.
pub(crate) const RETRY_AFTER_MAX: Duration = Duration::from_millis(10 * 366 * 86_400_000);
/// Bytes of an error or panic message.
pub(crate) const ERROR_BYTES_MAX: usize = 1_024;
/// Bytes of the class of an error.
pub(crate) const ERROR_TYPE_BYTES_MAX: usize = 128;
/// Bytes of a log line or progress message, whatever a tracker would allow.
pub(crate) const LOG_LINE_BYTES_MAX: usize = 4_096;
/// Log lines an attempt may write at once before its rate counts.
pub(crate) const LOG_BURST: u32 = 500;
/// Log lines per second of an attempt, once its burst is used.
pub(crate) const LOG_LINES_PER_S: u32 = 100;
/// Log lines of one attempt.
pub(crate) const LOG_LINES_MAX: u32 = 10_000;
/// Log lines and bytes waiting for a stream.
pub(crate) const LOG_QUEUE_LINES_MAX: usize = 8_192;
pub(crate) const LOG_QUEUE_BYTES_MAX: usize = 4 << 20;
/// Last words of ended attempts about their progress, waiting for a stream.
pub(crate) const PARTING_MAX: usize = 1_024;

/// Items of one kind in one frame.
pub(crate) const FRAME_ITEMS_MAX: usize = 500;
/// Questions of attempts in one frame: a tracker takes no more.
pub(crate) const FRAME_CALLS_MAX: usize = 64;
/// Bytes of texts and bodies in a frame; a single greater item goes alone. A tracker takes frames of half as much again.
pub(crate) const FRAME_BYTES_MAX: usize = 1 << 20;
/// Running attempts named in one Hello.
pub(crate) const HELLO_RUNNING_MAX: usize = 20_000;
/// What a worker reads in one message: a batch of large bodies.
pub(crate) const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// Trackers a worker keeps a stream to.
pub(crate) const TRACKERS_MAX: usize = 64;

/// Between two credit frames that carry nothing else.
pub(crate) const CREDIT_PAUSE: Duration = Duration::from_millis(5);
/// Between two progress messages of an attempt; the newest wins.
pub(crate) const PROGRESS_PAUSE: Duration = Duration::from_millis(100);
/// How long a sent outcome waits for its confirmation: half a dispatch lease, so that one in the hands of a tracker that lost Redis is
/// with another before the lease of an attempt that nobody announced is over.
pub(crate) const CONFIRM_PATIENCE: Duration = Duration::from_secs(1);
/// Before an outcome is sent again that a tracker could not write; twice as long each time, up to [`CONFIRM_PATIENCE`].
pub(crate) const UNAVAILABLE_PAUSE: Duration = Duration::from_millis(250);
/// So often an outcome stays with a tracker that still confirms others, before it is sent again.
pub(crate) const CONFIRM_ROUNDS: u8 = 3;
/// A tracker says at least so often that Redis does not answer it.
pub(crate) const STORE_AWAY: Duration = Duration::from_secs(8);
/// After its grace, a handler that does not let go of its thread is counted as leaked.
pub(crate) const LEAK_SLACK: Duration = Duration::from_millis(500);
/// The timer looks at the running attempts at most this often.
pub(crate) const TIMER_PAUSE: Duration = Duration::from_millis(10);

/// Contexts in one batch: a worker has no more permits than that.
pub(crate) const BATCH_MAX: usize = 65_536;
/// How long a batch may wait to be full. Its contexts wait under their leases, and their time-outs run.
pub(crate) const WINDOW_MAX: Duration = Duration::from_secs(60);

/// Bytes of one page of mapped items: what a map call has in memory.
pub(crate) const PAGE_BYTES_MAX: usize = 512 << 10;
/// How long a question to a tracker (a page of items, a page of results) waits for its answer before another one is asked.
pub(crate) const CALL_PATIENCE: Duration = Duration::from_secs(3);
/// Before a question is asked again that a tracker could not answer, as Redis did not answer it.
pub(crate) const CALL_PAUSE: Duration = Duration::from_millis(250);

/// A stream on which nothing was heard for so long is probed, and given up after as long again.
pub(crate) const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2);
pub(crate) const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(2);
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// At most, before a tracker is tried again that does not know or does not let in this worker, or speaks another protocol.
pub(crate) const REFUSED_DELAY_MAX: Duration = Duration::from_secs(30);
/// A stream is ended because a newer one has the same id: so long it may take until it is known whether that is this worker's own.
pub(crate) const TAKEN_OVER_WAIT: Duration = Duration::from_secs(2);
/// From the call to the Welcome.
pub(crate) const WELCOME_TIMEOUT: Duration = Duration::from_secs(5);
pub(crate) const RECONNECT_DELAY_MIN: Duration = Duration::from_millis(50);
pub(crate) const RECONNECT_DELAY_MAX: Duration = Duration::from_secs(2);

pub(crate) const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);
/// After the last handler ended, so long outcomes may wait for a tracker to confirm them.
pub(crate) const FLUSH_TIMEOUT: Duration = Duration::from_secs(10);
/// Between two samples of the machine's load.
pub(crate) const SAMPLE_INTERVAL: Duration = Duration::from_secs(5);

/// The beginning of `text` that fits into `bytes`, cut between characters.
pub(crate) fn clip(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

/// Like [`clip`], in place.
pub(crate) fn clipped(mut text: String, bytes: usize) -> String {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes));
        text.shrink_to_fit();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clipped_text_ends_between_characters() {
        assert_eq!(clip("añb", 2), "a");
        assert_eq!(clip("añb", 9), "añb");
        assert_eq!(clipped("añb".to_owned(), 3), "añ");
    }
}
