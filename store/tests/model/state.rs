//! Everything that is in one partition, read at once.

use std::collections::BTreeMap;

use fred::types::Value;

pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Null => String::new(),
        other => other.as_string().unwrap_or_default(),
    }
}

/// A named value of a reply; nothing where it is absent.
pub(crate) fn field<'a>(reply: &'a [Value], name: &str) -> &'a Value {
    let mut fields = reply.chunks_exact(2);
    let found = fields.find(|pair| text(&pair[0]) == name);
    found.map_or(&Value::Null, |pair| &pair[1])
}

pub(crate) fn items(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(elements) => elements.clone(),
        Value::Null => Vec::new(),
        other => panic!("{other:?} is no list"),
    }
}

pub(crate) fn texts(value: &Value) -> Vec<String> {
    items(value).iter().map(text).collect()
}

pub(crate) fn pairs(list: &[String]) -> impl Iterator<Item = (String, String)> {
    list.chunks(2)
        .map(|pair| (pair[0].clone(), pair[1].clone()))
}

/// Reads every key of a partition: its name, its type, its elements.
pub(super) const DUMP: &str = "
    local found = {}
    for _, name in ipairs(redis.call('KEYS', ARGV[1])) do
      local kind, elements = redis.call('TYPE', name).ok, nil
      if kind == 'zset' then elements = redis.call('ZRANGE', name, 0, -1, 'WITHSCORES')
      elseif kind == 'hash' then elements = redis.call('HGETALL', name)
      elseif kind == 'list' then elements = redis.call('LRANGE', name, 0, -1)
      elseif kind == 'string' then elements = { redis.call('GET', name) }
      else
        elements = {}
        for _, entry in ipairs(redis.call('XRANGE', name, '-', '+')) do
          elements[#elements + 1] = entry[2][2]
        end
      end
      found[#found + 1] = { string.sub(name, #ARGV[1]), kind, elements }
    end
    return found";

/// Everything in a partition, by key without its prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) zsets: BTreeMap<String, BTreeMap<String, u64>>,
    pub(crate) hashes: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) lists: BTreeMap<String, Vec<String>>,
    pub(crate) strings: BTreeMap<String, String>,
    /// The settled records of `events`.
    pub(crate) settled: Vec<String>,
}

impl State {
    /// Reads the reply of [`DUMP`], without what counts and keeps what ended contexts left: the model knows nothing of it.
    pub(super) fn read(found: &Value) -> Self {
        let mut state = State::default();
        for entry in items(found) {
            let entry = items(&entry);
            let (name, elements) = (text(&entry[0]), texts(&entry[2]));
            let kind = name.split(':').next().unwrap_or_default();
            if matches!(kind, "traces" | "traced" | "spaces" | "split") {
                continue;
            }
            match text(&entry[1]).as_str() {
                "zset" => {
                    let scores =
                        pairs(&elements).map(|(member, score)| (member, score.parse().unwrap()));
                    state.zsets.insert(name, scores.collect());
                }
                "hash" => drop(state.hashes.insert(name, pairs(&elements).collect())),
                "list" => drop(state.lists.insert(name, elements)),
                "string" => drop(state.strings.insert(name, elements.concat())),
                _ => {
                    state.settled = elements
                        .iter()
                        .flat_map(|entry| entry.lines().map(str::to_owned))
                        .collect();
                }
            }
        }
        state
    }

    /// Every key that exists.
    pub(crate) fn keys(&self) -> Vec<&str> {
        let all = self
            .zsets
            .keys()
            .chain(self.hashes.keys())
            .chain(self.lists.keys())
            .chain(self.strings.keys());
        let mut keys: Vec<&str> = all.map(String::as_str).collect();
        if !self.settled.is_empty() {
            keys.push("events");
        }
        keys.sort_unstable();
        keys
    }

    /// The members of a sorted set in order, with their scores.
    pub(crate) fn zset(&self, name: &str) -> Vec<(&str, u64)> {
        let mut members: Vec<(&str, u64)> = self
            .zsets
            .get(name)
            .into_iter()
            .flatten()
            .map(|(member, score)| (member.as_str(), *score))
            .collect();
        members.sort_by_key(|(_, score)| *score);
        members
    }

    /// The fields of a hash in the order of their names.
    pub(crate) fn hash(&self, name: &str) -> Vec<(&str, &str)> {
        self.hashes
            .get(name)
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }

    /// A field of a hash, or the empty text.
    pub(crate) fn field(&self, hash: &str, name: &str) -> &str {
        self.hashes
            .get(hash)
            .and_then(|fields| fields.get(name))
            .map_or("", String::as_str)
    }

    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        self.lists
            .get(name)
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect()
    }

    /// The settled records as id, state and message.
    pub(crate) fn ends(&self) -> Vec<(&str, &str, &str)> {
        let fields = self
            .settled
            .iter()
            .map(|record| record.split('\t').collect::<Vec<_>>());
        fields
            .map(|fields| (fields[0], fields[1], fields[6]))
            .collect()
    }
}
