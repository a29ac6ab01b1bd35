//! Who shows what is no token, again and again: it is answered later and later, and may have little looked up. Nobody else waits for that, and
//! whoever shows a token that is known does not either, from whatever address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::address::network_of;

/// Addresses that are remembered. Beyond that the oldest failures are forgotten.
const ADDRESSES_MAX: usize = 10_000;
/// Failures that cost nothing: a person who mistypes.
const FREE: u32 = 3;
/// The first delay, which doubles with each failure.
const DELAY: Duration = Duration::from_millis(50);
/// The longest.
const DELAY_MAX: Duration = Duration::from_secs(1);
/// Half of the failures of an address are forgotten after this.
const FORGET: Duration = Duration::from_secs(10);
/// Between two tokens that are looked up for an address with failures.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// More do not wait to be looked up.
const WAIT_MAX: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy)]
struct Recent {
    failures: u32,
    since: Instant,
    /// When the next token may be looked up.
    look: Instant,
}

impl Recent {
    fn at(now: Instant) -> Self {
        Self {
            failures: 0,
            since: now,
            look: now,
        }
    }

    /// Forgets what is long ago.
    fn decay(&mut self, now: Instant) {
        while self.failures > 0 && now.duration_since(self.since) >= FORGET {
            self.failures /= 2;
            self.since += FORGET;
        }
    }
}

/// Failed authentications by address.
#[derive(Debug, Default)]
pub(super) struct Failures {
    recent: Mutex<HashMap<IpAddr, Recent>>,
}

impl Failures {
    /// Counts one; answers with how long its answer waits.
    pub(super) fn count(&self, address: IpAddr, now: Instant) -> Duration {
        let mut recent = self.recent.lock();
        make_room(&mut recent, now);
        let one = recent
            .entry(network_of(address))
            .or_insert_with(|| Recent::at(now));
        one.decay(now);
        if one.failures == 0 {
            one.since = now;
        }
        one.failures = one.failures.saturating_add(1);
        match one.failures.checked_sub(FREE + 1) {
            None => Duration::ZERO,
            Some(doubled) => DELAY.saturating_mul(1 << doubled.min(10)).min(DELAY_MAX),
        }
    }

    /// When a token that is not known may be looked up for this address; `None` when too many of it wait for that.
    pub(super) fn look(&self, address: IpAddr, now: Instant) -> Option<Instant> {
        let mut recent = self.recent.lock();
        let Some(one) = recent.get_mut(&network_of(address)) else {
            return Some(now);
        };
        one.decay(now);
        if one.failures <= FREE {
            return Some(now);
        }
        let at = one.look.max(now);
        if at.duration_since(now) > WAIT_MAX {
            return None;
        }
        one.look = at + LOOK_EVERY;
        Some(at)
    }
}

fn make_room(recent: &mut HashMap<IpAddr, Recent>, now: Instant) {
    if recent.len() < ADDRESSES_MAX {
        return;
    }
    recent.retain(|_, one| {
        one.decay(now);
        one.failures > 0
    });
    while recent.len() >= ADDRESSES_MAX {
        let oldest = recent.iter().min_by_key(|(_, one)| one.since);
        let Some(address) = oldest.map(|(address, _)| *address) else {
            return;
        };
        recent.remove(&address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn failures_cost_more_and_more_and_only_those_of_the_address() {
        let (failures, now) = (Failures::default(), Instant::now());
        let (bad, other) = (address("10.0.0.1"), address("10.0.0.2"));
        let delays: Vec<u128> = (0..10)
            .map(|_| failures.count(bad, now).as_millis())
            .collect();
        assert_eq!(delays, [0, 0, 0, 50, 100, 200, 400, 800, 1_000, 1_000]);
        assert_eq!(failures.count(other, now), Duration::ZERO);
        assert_eq!(failures.count(address("::ffff:10.0.0.1"), now), DELAY_MAX);
        let later = now + FORGET * 4;
        assert_eq!(failures.count(bad, later), Duration::ZERO, "forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn few_tokens_are_looked_up_for_who_fails() {
        let (failures, now) = (Failures::default(), Instant::now());
        let bad = address("2001:db8::1");
        assert_eq!(failures.look(bad, now), Some(now));
        for _ in 0..=FREE {
            failures.count(bad, now);
        }
        let looks: Vec<_> = (0..100).map_while(|_| failures.look(bad, now)).collect();
        assert_eq!(looks.len(), 41, "what waits longer is refused");
        assert_eq!(looks[1] - looks[0], LOOK_EVERY);
        let beside = address("2001:db8::ffff");
        assert_eq!(failures.look(beside, now), None, "of the same network");
        assert_eq!(failures.look(address("10.0.0.2"), now), Some(now));
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_without_end_take_no_memory_without_end() {
        let (failures, now) = (Failures::default(), Instant::now());
        for number in 0..u32::try_from(ADDRESSES_MAX).unwrap() + 10 {
            failures.count(IpAddr::V4((0x0a00_0000 + number).into()), now);
        }
        assert!(failures.recent.lock().len() <= ADDRESSES_MAX);
    }
}
