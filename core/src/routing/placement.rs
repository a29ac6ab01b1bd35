//! A placement: everything about where contexts may run and who takes them, named by its content.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use super::{Ineligible, Profile, Routing, Selection, Units};
use crate::error::{Violation, Violations};
use crate::id::JobName;
use crate::partition::spread;

/// Hexadecimal digits of a placement's name.
const DIGITS: usize = 10;

/// Where and how contexts may run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Placement {
    /// The job whose contexts are counted together, where the policy counts; of contexts submitted alone, and where it does not, `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<JobName>,
    /// Which of the fitting workers takes a context.
    pub routing: Routing,
    /// Which workers fit.
    pub workers: Selection,
    /// What a context takes of its worker's resources while it runs.
    #[serde(skip_serializing_if = "Units::is_empty")]
    pub requires: Units,
}

/// Name of a placement: the first ten hexadecimal digits of its content's SHA-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PlacementId([u8; DIGITS / 2]);

impl Placement {
    /// The placement of a job or a submission; `None` where any worker of the group will do.
    #[must_use]
    pub fn of(
        job: Option<&JobName>,
        routing: &Routing,
        (workers, requires): (&Selection, &Units),
    ) -> Option<Self> {
        let placement = Self {
            job: job.filter(|_| routing.policy.is_stateful()).cloned(),
            routing: routing.clone(),
            workers: workers.clone(),
            requires: requires.clone(),
        };
        (placement != Self::default()).then_some(placement)
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> PlacementId {
        let digest = Sha1::digest(self.encode());
        let mut id = [0; DIGITS / 2];
        for (place, byte) in id.iter_mut().zip(digest) {
            *place = byte;
        }
        PlacementId(id)
    }

    /// As it lies in Redis: named msgpack.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "texts and numbers always encode into a vector"
    )]
    pub fn encode(&self) -> Vec<u8> {
        rmp_serde::to_vec_named(self).expect("a placement encodes")
    }

    /// Reads what [`Placement::encode`] wrote.
    ///
    /// # Errors
    /// A violation when the bytes are no placement.
    pub fn decode(bytes: &[u8]) -> Result<Self, Violation> {
        rmp_serde::from_slice(bytes)
            .map_err(|error| Violation::new("placement", "is a placement in msgpack", error))
    }

    /// Checks all parts.
    ///
    /// # Errors
    /// All violations, each with the path of its field.
    pub fn validate(
        routing: &Routing,
        (workers, requires): (&Selection, &Units),
    ) -> Result<(), Violations> {
        let mut found = Violations::new();
        found.keep(routing.validate().map_err(|wrong| wrong.prefix("routing")));
        found.keep(workers.validate().map_err(|wrong| wrong.prefix("workers")));
        found.keep(
            requires
                .validate()
                .map_err(|wrong| wrong.prefix("resources")),
        );
        found.into_result()
    }

    /// Whether a worker comes into question, whatever the others are.
    ///
    /// # Errors
    /// Why it does not.
    pub fn fits(&self, worker: &Profile) -> Result<(), Ineligible> {
        self.workers.fits(worker)?;
        if !self.requires.fit_in(&worker.resources) {
            return Err(Ineligible::TooSmall);
        }
        let list = &self.routing.list;
        if list.is_empty() || list.iter().any(|entry| worker.is_called(entry)) {
            Ok(())
        } else {
            Err(Ineligible::NotListed)
        }
    }

    /// The workers that come into question, in the order in which a list names them, else in that of their ids. With a greatest number, the
    /// same ones as long as they live: those whose ids hash highest together with the placement.
    #[must_use]
    pub fn fitting<'a, P: AsRef<Profile>>(&self, workers: &'a [P]) -> Vec<&'a P> {
        let mut fitting: Vec<&P> = workers
            .iter()
            .filter(|worker| self.fits((*worker).as_ref()).is_ok())
            .collect();
        if let Some(max) = self.workers.max.and_then(|max| usize::try_from(max).ok())
            && fitting.len() > max
        {
            let id = self.id();
            fitting.sort_by_cached_key(|worker| {
                std::cmp::Reverse(spread(&format!("{id} {}", (*worker).as_ref().id)))
            });
            fitting.truncate(max);
        }
        let list = &self.routing.list;
        let place = |worker: &P| {
            list.iter()
                .position(|entry| worker.as_ref().is_called(entry))
        };
        fitting.sort_by(|left, right| {
            let ids = (*left).as_ref().id.cmp(&(*right).as_ref().id);
            place(left).cmp(&place(right)).then(ids)
        });
        fitting
    }
}

impl fmt::Display for PlacementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::id::hex(&self.0))
    }
}

impl FromStr for PlacementId {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        let wrong = || Violation::new("placement", "is ten hexadecimal digits in lower case", text);
        let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != DIGITS || !text.bytes().all(lower) {
            return Err(wrong());
        }
        let number = u64::from_str_radix(text, 16).map_err(|_| wrong())?;
        let [_, _, _, id @ ..] = number.to_be_bytes();
        Ok(Self(id))
    }
}

impl TryFrom<String> for PlacementId {
    type Error = Violation;

    fn try_from(text: String) -> Result<Self, Violation> {
        text.parse()
    }
}

impl From<PlacementId> for String {
    fn from(id: PlacementId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::WorkerId;
    use crate::routing::{RoutingPolicy, Tags};

    struct Worker(Profile);

    impl AsRef<Profile> for Worker {
        fn as_ref(&self) -> &Profile {
            &self.0
        }
    }

    fn workers(count: usize) -> Vec<Worker> {
        let worker = |number: usize| {
            Worker(Profile {
                id: WorkerId::new(format!("w{number}-aaaaaaaa")).unwrap(),
                host: format!("host{}", number % 3),
                cpus: 1,
                tags: Tags::default(),
                resources: Units::default(),
            })
        };
        (0..count).map(worker).collect()
    }

    fn names(placement: &Placement, workers: &[Worker]) -> Vec<String> {
        placement
            .fitting(workers)
            .into_iter()
            .map(|worker| worker.0.name().to_owned())
            .collect()
    }

    #[test]
    fn without_any_wish_there_is_no_placement() {
        let job = JobName::new("a/b").unwrap();
        let all = (&Selection::default(), &Units::default());
        let none = Placement::of(Some(&job), &Routing::default(), all);
        assert_eq!(none, None);
        let counted = Routing::new(RoutingPolicy::RoundRobin);
        let placement = Placement::of(Some(&job), &counted, all).unwrap();
        assert_eq!(placement.job, Some(job.clone()));
        let drawn = Routing::new(RoutingPolicy::Random);
        let placement = Placement::of(Some(&job), &drawn, all).unwrap();
        assert_eq!(
            placement.job, None,
            "placements that do not count are shared"
        );
    }

    #[test]
    fn a_placement_is_named_by_its_content() {
        let placement = Placement {
            routing: Routing::new(RoutingPolicy::CpuFirst),
            ..Placement::default()
        };
        let id = placement.id();
        assert_eq!(id.to_string().parse::<PlacementId>().unwrap(), id);
        assert_eq!(Placement::decode(&placement.encode()).unwrap().id(), id);
        assert_ne!(Placement::default().id(), id);
        for text in ["", "abc", "ABCDEF0123", "01234567890", "0123-56789"] {
            assert!(text.parse::<PlacementId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_list_gives_the_order_and_names_who_fits() {
        let placement = Placement {
            routing: Routing {
                list: vec!["w3".to_owned(), "host1".to_owned()],
                ..Routing::new(RoutingPolicy::Failover)
            },
            ..Placement::default()
        };
        assert_eq!(names(&placement, &workers(6)), ["w3", "w1", "w4"]);
        assert_eq!(placement.fits(&workers(1)[0].0), Err(Ineligible::NotListed));
    }

    #[test]
    fn a_worker_has_to_have_what_a_context_takes() {
        let two = [("gpu", "2".to_owned())];
        let placement = Placement {
            requires: Units::parse(two).unwrap(),
            ..Placement::default()
        };
        let mut all = workers(2);
        assert_eq!(placement.fits(&all[0].0), Err(Ineligible::TooSmall));
        all[1].0.resources = Units::of([("gpu".to_owned(), 4_000)]);
        assert_eq!(names(&placement, &all), ["w1"]);
        assert_ne!(placement.id(), Placement::default().id());
    }

    #[test]
    fn the_greatest_number_keeps_the_same_workers() {
        let placement = Placement {
            workers: Selection {
                max: Some(3),
                ..Selection::default()
            },
            ..Placement::default()
        };
        let all = workers(10);
        let chosen = names(&placement, &all);
        assert_eq!(chosen.len(), 3);
        let without_another: Vec<Worker> = workers(10)
            .into_iter()
            .filter(|worker| {
                chosen.iter().any(|name| name == worker.0.name()) || worker.0.name() == "w9"
            })
            .collect();
        assert_eq!(names(&placement, &without_another), chosen);
        assert_eq!(names(&placement, &workers(2)).len(), 2);
    }
}
