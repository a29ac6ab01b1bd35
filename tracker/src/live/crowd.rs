//! What all who watch one tracker may cost it together.
//!
//! What is told to many is written once, but carried to each: a system call, and the bytes. So both are bounded for all of them together, and
//! the more there are, the less often each is told something, and of the fewer runs: numbers and filters are for who wants to know all.

use std::time::Duration;

use tickwheel_store::record::Settled;
use tokio::time::Instant;

use super::ring::bytes_of;

/// Times in a second that something is carried to somebody, to all of them together.
const TOLD_A_SECOND: u32 = 1_000;
/// Lines in a second that are told to all of them together.
const LINES_A_SECOND: usize = 16_384;
/// Lines in a second that one of them is told at most: nobody reads more.
const LINES_OF_ONE: usize = 500;
/// What a line is, in bytes of a record; a longer record counts as several.
const LINE_BYTES: usize = 512;

/// Between two times that each of so many is told something.
pub(super) fn told_every(watchers: usize) -> Duration {
    Duration::from_secs(1) * u32::try_from(watchers).unwrap_or(u32::MAX) / TOLD_A_SECOND
}

/// Lines that each of so many is told of in a second.
pub(super) fn lines_of_each(watchers: usize) -> usize {
    (LINES_A_SECOND / watchers.max(1)).clamp(1, LINES_OF_ONE)
}

/// How many lines somebody was told of in this second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Pace {
    /// Which second, of those that [`second_of`] counts.
    second: u64,
    told: usize,
}

/// Seconds that all who watch count alike: what was told to one can be told to the others.
pub(super) fn second_of(since: Instant, now: Instant) -> u64 {
    now.saturating_duration_since(since).as_secs()
}

impl Pace {
    /// How many of these, the newest of which is the last, are told in this second, of which each has `lines`: the newest. A record that is longer than
    /// all that is told in a second is told as the only one.
    pub(super) fn allow(&mut self, ended: &[&Settled], second: u64, lines: usize) -> usize {
        if self.second != second {
            *self = Self { second, told: 0 };
        }
        let mut allowed = 0;
        for settled in ended.iter().rev() {
            let takes = bytes_of(settled).div_ceil(LINE_BYTES);
            if self.told > 0 && self.told + takes > lines {
                break;
            }
            self.told += takes;
            allowed += 1;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(message: usize) -> Settled {
        let message = "x".repeat(message);
        let text = format!("3.900.e\tfailed\t1\tw\t5\t900\t{message}\tg\th\t1");
        Settled::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_more_watch_the_less_each_is_told() {
        for watchers in [0, 1, 7, 32, 500, 1_024] {
            let (every, lines) = (told_every(watchers), lines_of_each(watchers));
            assert!(every <= Duration::from_millis(1_024) && (16..=500).contains(&lines));
            assert!(watchers * lines <= LINES_A_SECOND);
        }
        assert_eq!(
            (told_every(1_000), lines_of_each(1_024)),
            (Duration::from_secs(1), 16)
        );
    }

    #[test]
    fn so_many_lines_are_told_in_a_second_and_long_ones_count_as_several() {
        let (short, long) = (ended(0), ended(1_000));
        let all = vec![&short; 400];
        let mut pace = Pace::default();
        let told = [1, 1, 2].map(|second| pace.allow(&all, second, 500));
        assert_eq!(told, [400, 100, 400]);
        let long = vec![&long; 400];
        let told = pace.allow(&long, 3, 500);
        assert!((100..250).contains(&told), "{told}");
        assert_eq!([pace.allow(&long, 4, 1), pace.allow(&long, 4, 1)], [1, 0]);
    }
}
