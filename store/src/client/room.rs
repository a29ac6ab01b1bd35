//! Whether the servers have room for new work. What they said last counts: memory is asked for when their settings are
//! ([`Redis::inspect`]), and what comes in between meets the bound of Redis itself.

mod intake;
mod memory;

use parking_lot::Mutex;

use super::info::field;

/// New work is refused from here on, percent of `maxmemory`: everything that leads to settlement needs the rest.
const INTAKE_PERCENT: u64 = 80;

/// Why there is no room, in words.
#[derive(Debug, Default)]
pub(super) struct RoomCell(Mutex<Option<String>>);

/// What one primary says of its memory, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    used: u64,
    most: u64,
}

impl Memory {
    /// Of its `INFO memory`; `None` when it has no bound, or does not tell.
    pub(crate) fn of(info: &str) -> Option<Self> {
        let number = |name| field(info, name).parse::<u64>().ok();
        let most = number("maxmemory").filter(|most| *most > 0)?;
        // Buffers of replicas and of the log do not count for Redis either.
        let aside = number("mem_not_counted_for_evict").unwrap_or(0);
        Some(Self {
            used: number("used_memory")?.saturating_sub(aside),
            most,
        })
    }

    fn is_full(self) -> bool {
        self.used.saturating_mul(100) >= self.most.saturating_mul(INTAKE_PERCENT)
    }
}

/// What the primaries use of their memory, bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryUse {
    /// In use.
    pub used: u64,
    /// What may be; 0: one of them has no bound.
    pub most: u64,
}

impl MemoryUse {
    /// By the `INFO memory` of each; `None` when one of them does not tell.
    pub(super) fn of<'a>(infos: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut sum = Self::default();
        let mut is_bounded = true;
        for info in infos {
            let number = |name| field(info, name).parse::<u64>().ok();
            sum.used += number("used_memory")?;
            let most = number("maxmemory").unwrap_or(0);
            is_bounded &= most > 0;
            sum.most += most;
        }
        if !is_bounded {
            sum.most = 0;
        }
        (sum.used > 0).then_some(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_is_the_sum_and_one_without_a_bound_leaves_none() {
        let info = |used: &str, most: &str| format!("used_memory:{used}\r\nmaxmemory:{most}\r\n");
        let of = |infos: &[String]| MemoryUse::of(infos.iter().map(String::as_str));
        let sum = of(&[info("5", "10"), info("6", "20")]);
        assert_eq!(sum, Some(MemoryUse { used: 11, most: 30 }));
        let sum = of(&[info("5", "10"), info("6", "0")]);
        assert_eq!(sum, Some(MemoryUse { used: 11, most: 0 }));
        assert_eq!(of(&[info("5", "10"), String::new()]), None);
        assert_eq!(of(&[]), None);
    }

    fn memory(used: &str, most: &str, aside: &str) -> Option<Memory> {
        Memory::of(&format!(
            "# Memory\r\nused_memory:{used}\r\nmaxmemory:{most}\r\nmem_not_counted_for_evict:{aside}\r\n"
        ))
    }

    #[test]
    fn a_server_is_full_from_four_fifths_on() {
        assert!(!memory("799", "1000", "0").unwrap().is_full());
        assert!(memory("800", "1000", "0").unwrap().is_full());
        assert!(!memory("900", "1000", "101").unwrap().is_full());
        assert_eq!(memory("900", "0", "0"), None);
        assert_eq!(Memory::of(""), None);
    }
}
