//! The routing policies: one word and one sentence for each.

use serde::{Deserialize, Serialize};

use super::hash_key;
use crate::bounds::{POINTER_CHARS_MAX, WORKER_LIST_MAX};
use crate::error::{Violation, Violations, with_suggestion};
use crate::fairness::text_at;
use crate::id::JobName;
use crate::word::word_enum;

word_enum! {
    #[derive(Default)]
    /// Which of the workers that fit takes a context.
    RoutingPolicy {
        /// Any free worker, in rotation.
        #[default]
        Any = "any",
        /// The free worker that this placement picked least, so that counts differ by one at most; one that was busy catches up, and a new one
        /// begins at the least count.
        RoundRobin = "round_robin",
        /// A free worker by chance, each with the same.
        Random = "random",
        /// As round robin, a worker of weight 3 getting three times the share of one of weight 1, evenly interleaved.
        Weighted = "weighted",
        /// The free worker that the job's name, or the named value of the body, hashes to; when workers come or go only their share moves.
        ConsistentHash = "consistent_hash",
        /// The free worker that this placement used least since it first saw it; a new one is used until it is level.
        LeastFrequentlyUsed = "least_frequently_used",
        /// The free worker whose last context of this placement lies furthest back.
        LeastRecentlyUsed = "least_recently_used",
        /// The free worker that runs the fewest contexts.
        LeastRunning = "least_running",
        /// The free worker with the smallest CPU load.
        CpuFirst = "cpu_first",
        /// The free worker with the most free memory.
        MemoryFirst = "memory_first",
        /// The free worker whose attempts lately took the least time.
        FastestResponse = "fastest_response",
        /// Only the named workers or hosts: the first of them that is free.
        Specified = "specified",
        /// The first of the list that is alive, even if it has to be waited for; a worker that refuses is passed over in the same attempt.
        Failover = "failover",
        /// The first of the list with a free permit; one that answers `busy` passes the context on in the same attempt.
        BusyTransfer = "busy_transfer",
    }
}

impl RoutingPolicy {
    /// Whether the choice depends on earlier ones, kept with the placement.
    #[must_use]
    pub const fn is_stateful(self) -> bool {
        matches!(
            self,
            Self::RoundRobin | Self::Weighted | Self::LeastFrequentlyUsed | Self::LeastRecentlyUsed
        )
    }

    /// Whether it reads a list of workers.
    #[must_use]
    pub const fn has_list(self) -> bool {
        matches!(self, Self::Specified | Self::Failover | Self::BusyTransfer)
    }

    /// The policy of a word.
    ///
    /// # Errors
    /// A violation with the words there are, and the nearest one.
    pub fn of_word(word: &str) -> Result<Self, Violation> {
        word.parse().map_err(|wrong: Violation| {
            let words = Self::ALL.iter().map(|policy| policy.as_str());
            let rule = with_suggestion(&wrong.rule, word, words);
            Violation::new("", rule, word)
        })
    }
}

/// A policy with what it needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Routing {
    /// Which worker.
    pub policy: RoutingPolicy,
    /// consistent_hash: a JSON pointer to the value of the body that is hashed; `None`: the job's name, and chance without a job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// specified, failover, busy_transfer: ids, names or hosts of workers, in order. Without it the latter two go by the order of ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub list: Vec<String>,
}

impl Routing {
    /// This policy alone.
    #[must_use]
    pub fn new(policy: RoutingPolicy) -> Self {
        Self {
            policy,
            ..Self::default()
        }
    }

    /// The number by which consistent hashing knows a context: of the named value of its body, or of its job. `None` where there is neither,
    /// and under every other policy.
    ///
    /// # Errors
    /// A violation when the body has no such value.
    pub fn hash_of(&self, body: &[u8], job: Option<&JobName>) -> Result<Option<u32>, Violation> {
        if self.policy != RoutingPolicy::ConsistentHash {
            return Ok(None);
        }
        let Some(pointer) = &self.key else {
            return Ok(job.map(|job| hash_key(job.as_str())));
        };
        match text_at(body, pointer) {
            Some(text) => Ok(Some(hash_key(&text))),
            None => {
                let rule = "points at a text, a number or a truth value of the body, which is JSON";
                Err(Violation::new("key", rule, pointer))
            }
        }
    }

    /// Checks what the policy needs and what it cannot use.
    ///
    /// # Errors
    /// All violations, each with the path of its field.
    pub fn validate(&self) -> Result<(), Violations> {
        let mut found = Violations::new();
        if let Some(key) = &self.key {
            if self.policy != RoutingPolicy::ConsistentHash {
                found.add("key", "belongs to consistent_hash", key);
            } else if !key.starts_with('/') {
                found.add("key", "is a JSON pointer, like /tenant", key);
            } else if key.len() > POINTER_CHARS_MAX {
                let rule = format!("has at most {POINTER_CHARS_MAX} characters");
                found.add("key", rule, key);
            }
        }
        if !self.policy.has_list() && !self.list.is_empty() {
            let rule = "belongs to specified, failover and busy_transfer";
            found.add("list", rule, self.list.join(", "));
        }
        if self.policy == RoutingPolicy::Specified && self.list.is_empty() {
            found.add("list", "names at least one worker or host", "");
        }
        check_list("list", &self.list, &mut found);
        found.into_result()
    }
}

/// Entries of a list of workers are names, each once.
pub(super) fn check_list(field: &str, list: &[String], found: &mut Violations) {
    if list.len() > WORKER_LIST_MAX {
        let rule = format!("has at most {WORKER_LIST_MAX} entries");
        found.add(field, rule, list.len());
        return;
    }
    for (index, entry) in list.iter().enumerate() {
        let place = format!("{field}[{index}]");
        if entry.is_empty() || entry.len() > 255 || entry.contains(char::is_whitespace) {
            let rule = "is a worker's id, its name, or a host, without spaces";
            found.add(place, rule, entry);
        } else if list.iter().take(index).any(|earlier| earlier == entry) {
            found.add(place, "occurs once", entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(routing: &Routing) -> String {
        routing.validate().unwrap_err().to_string()
    }

    #[test]
    fn unknown_policies_are_refused_with_a_suggestion() {
        let wrong = RoutingPolicy::of_word("round-robin").unwrap_err();
        assert!(wrong.rule.starts_with("is one of any, round_robin,"));
        assert!(
            wrong.rule.ends_with("did you mean `round_robin`?"),
            "{wrong}"
        );
        assert_eq!(wrong.given, "round-robin");
        for policy in RoutingPolicy::ALL {
            assert_eq!(RoutingPolicy::of_word(policy.as_str()).unwrap(), *policy);
        }
    }

    #[test]
    fn a_body_is_hashed_by_the_value_it_points_at() {
        let by_tenant = Routing {
            key: Some("/tenant".to_owned()),
            ..Routing::new(RoutingPolicy::ConsistentHash)
        };
        let job = JobName::new("a/b").unwrap();
        let hash = |body: &str| by_tenant.hash_of(body.as_bytes(), Some(&job));
        let acme = hash(r#"{"tenant": "acme", "n": 1}"#).unwrap();
        assert_eq!(acme, hash(r#"{"tenant": "acme", "n": 2}"#).unwrap());
        assert_ne!(acme, hash(r#"{"tenant": "umbrella"}"#).unwrap());
        assert!(hash(r#"{"tenant": 7}"#).unwrap().is_some());
        for body in ["", "{}", r#"{"tenant": null}"#, r#"{"tenant": {}}"#] {
            let wrong = hash(body).unwrap_err();
            assert_eq!(
                (wrong.field.as_str(), wrong.given.as_str()),
                ("key", "/tenant")
            );
        }
        let by_job = Routing::new(RoutingPolicy::ConsistentHash);
        assert_eq!(
            by_job.hash_of(b"", Some(&job)).unwrap(),
            by_job.hash_of(b"x", Some(&job)).unwrap()
        );
        assert_eq!(by_job.hash_of(b"", None).unwrap(), None, "by chance");
        assert_eq!(Routing::default().hash_of(b"", Some(&job)).unwrap(), None);
    }

    #[test]
    fn each_policy_takes_only_what_it_can_use() {
        let key = Routing {
            key: Some("/tenant".to_owned()),
            ..Routing::new(RoutingPolicy::Random)
        };
        assert_eq!(
            wrong(&key),
            "key: belongs to consistent_hash (given: /tenant)"
        );
        let pointer = Routing {
            key: Some("tenant".to_owned()),
            ..Routing::new(RoutingPolicy::ConsistentHash)
        };
        assert_eq!(
            wrong(&pointer),
            "key: is a JSON pointer, like /tenant (given: tenant)"
        );
        let empty = Routing::new(RoutingPolicy::Specified);
        assert_eq!(wrong(&empty), "list: names at least one worker or host");
        let list = |policy, entries: &[&str]| Routing {
            list: entries.iter().map(|&entry| entry.to_owned()).collect(),
            ..Routing::new(policy)
        };
        assert!(wrong(&list(RoutingPolicy::Any, &["a"])).starts_with("list: belongs to"));
        let twice = list(RoutingPolicy::Failover, &["a", "a b", "a"]);
        assert_eq!(
            wrong(&twice),
            "list[1]: is a worker's id, its name, or a host, without spaces (given: a b)\nlist[2]: occurs once (given: a)"
        );
        for policy in RoutingPolicy::ALL.iter().copied() {
            let entries: &[&str] = if policy.has_list() { &["a", "b"] } else { &[] };
            list(policy, entries).validate().unwrap();
        }
    }
}
