//! What a worker has of each resource, and what its attempts have reserved.
//!
//! The worker is the authority: an attempt is admitted only when all it needs is free here, so nothing is promised twice whatever the
//! trackers believe. CPU, memory and disk are measured; what was reserved since the last measurement is not in it yet and is added.

use std::collections::BTreeMap;

use tickwheel_proto::v1::{Resource, Units};
use tokio::time::Instant;

/// Amounts by name: bytes of memory and disk, thousandths of everything else.
pub(crate) type Amounts = BTreeMap<String, u64>;

/// A measured resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) total: u64,
    pub(crate) used: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Resources {
    /// By the user's word; these are not measured.
    declared: Amounts,
    measured: Vec<Measured>,
    measured_at: Option<Instant>,
    reserved: Amounts,
    /// Of `reserved`, by attempts that came after the measurement.
    since: Amounts,
}

impl Resources {
    pub(crate) fn new(declared: Amounts) -> Self {
        Self {
            declared,
            ..Self::default()
        }
    }

    pub(crate) fn measure(&mut self, measured: Vec<Measured>, now: Instant) {
        self.measured = measured;
        self.measured_at = Some(now);
        self.since.clear();
    }

    /// Name, total, used and reserved of each resource.
    fn all(&self) -> impl Iterator<Item = (&str, u64, u64, u64)> {
        let of = |amounts: &Amounts, name: &str| amounts.get(name).copied().unwrap_or(0);
        let declared = self.declared.iter().map(move |(name, total)| {
            let reserved = of(&self.reserved, name);
            (name.as_str(), *total, reserved, reserved)
        });
        let measured = self
            .measured
            .iter()
            .filter(|one| !self.declared.contains_key(one.name));
        let measured = measured.map(move |one| {
            let reserved = of(&self.reserved, one.name);
            let since = one.used.saturating_add(of(&self.since, one.name));
            (one.name, one.total, since.max(reserved), reserved)
        });
        declared.chain(measured)
    }

    pub(crate) fn has_free(&self, needs: &Amounts) -> bool {
        needs.is_empty() || {
            let free = self.free();
            needs
                .iter()
                .all(|(name, amount)| free.get(name).is_some_and(|free| free >= amount))
        }
    }

    fn free(&self) -> Amounts {
        self.all()
            .map(|(name, total, used, _)| (name.to_owned(), total.saturating_sub(used)))
            .collect()
    }

    pub(crate) fn reserve(&mut self, needs: &Amounts) {
        for (name, amount) in needs {
            for sum in [&mut self.reserved, &mut self.since] {
                *sum.entry(name.clone()).or_default() += amount;
            }
        }
    }

    /// The attempt that reserved `needs` when it came at `arrived` has ended.
    pub(crate) fn give_back(&mut self, needs: &Amounts, arrived: Instant) {
        let counted_since = self.measured_at.is_none_or(|at| arrived > at);
        for (name, amount) in needs {
            if let Some(sum) = self.reserved.get_mut(name) {
                *sum = sum.saturating_sub(*amount);
            }
            if let Some(sum) = self.since.get_mut(name).filter(|_| counted_since) {
                *sum = sum.saturating_sub(*amount);
            }
        }
    }

    /// What a tracker may promise.
    pub(crate) fn units(&self) -> Units {
        Units {
            amounts: self.free().into_iter().collect(),
        }
    }

    /// For the heartbeat.
    pub(crate) fn report(&self) -> Vec<Resource> {
        let resource = |(name, total, used, reserved): (&str, u64, u64, u64)| Resource {
            name: name.to_owned(),
            total,
            used,
            reserved,
        };
        self.all().map(resource).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amounts(list: &[(&str, u64)]) -> Amounts {
        list.iter()
            .map(|(name, amount)| ((*name).to_owned(), *amount))
            .collect()
    }

    fn cpu(used: u64) -> Vec<Measured> {
        vec![Measured {
            name: "cpu",
            total: 4_000,
            used,
        }]
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_reserved_is_not_promised_again() {
        let mut gpus = Resources::new(amounts(&[("gpu", 4_000)]));
        let two = amounts(&[("gpu", 2_000)]);
        assert!(gpus.has_free(&two));
        gpus.reserve(&two);
        gpus.reserve(&two);
        assert!(!gpus.has_free(&amounts(&[("gpu", 1)])));
        gpus.give_back(&two, Instant::now());
        assert!(gpus.has_free(&two));
        assert!(!gpus.has_free(&amounts(&[("tpu", 1)])), "there is none");
        assert!(gpus.has_free(&Amounts::new()));
    }

    #[tokio::test(start_paused = true)]
    async fn the_measured_and_the_reserved_are_not_counted_twice() {
        let mut cpus = Resources::default();
        let one = amounts(&[("cpu", 1_000)]);
        assert!(!cpus.has_free(&one), "nothing is measured yet");
        cpus.measure(cpu(500), Instant::now());
        tokio::time::advance(std::time::Duration::from_millis(1)).await;
        let arrived = Instant::now();
        cpus.reserve(&one);
        cpus.reserve(&one);
        // 0.5 measured before, and two since.
        assert!(cpus.has_free(&amounts(&[("cpu", 1_500)])));
        assert!(!cpus.has_free(&amounts(&[("cpu", 1_501)])));
        // The next measurement has seen them: they idle, and keep what they reserved.
        cpus.measure(cpu(600), Instant::now());
        assert!(cpus.has_free(&amounts(&[("cpu", 2_000)])));
        // They work, and others of the machine too.
        cpus.measure(cpu(3_000), Instant::now());
        assert!(!cpus.has_free(&amounts(&[("cpu", 1_001)])));
        cpus.give_back(&one, arrived);
        cpus.give_back(&one, arrived);
        assert!(cpus.has_free(&one) && !cpus.has_free(&amounts(&[("cpu", 1_001)])));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_declared_is_not_measured() {
        let mut worker = Resources::new(amounts(&[("cpu", 2_100)]));
        worker.measure(cpu(4_000), Instant::now());
        assert!(worker.has_free(&amounts(&[("cpu", 2_100)])));
        assert_eq!(worker.report().len(), 1);
    }
}
