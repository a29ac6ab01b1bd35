//! The keys, their lifetimes, and the clock.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::reply::Reply;
use crate::sorted::Sorted;
use crate::stream::Stream;

/// What was published on a sharded channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The channel.
    pub channel: String,
    /// The text.
    pub text: String,
}

/// A hash in the order in which its fields came, as Redis keeps small ones.
#[derive(Debug, Default)]
pub(crate) struct Hash {
    pub(crate) fields: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Hash {
    pub(crate) fn get(&self, field: &[u8]) -> Option<&Vec<u8>> {
        self.fields
            .iter()
            .find(|(name, _)| name == field)
            .map(|(_, value)| value)
    }

    /// True when the field is new.
    pub(crate) fn set(&mut self, field: &[u8], value: &[u8]) -> bool {
        let known = self.fields.iter_mut().find(|(name, _)| name == field);
        if let Some((_, known)) = known {
            *known = value.to_vec();
            return false;
        }
        self.fields.push((field.to_vec(), value.to_vec()));
        true
    }

    pub(crate) fn remove(&mut self, field: &[u8]) -> bool {
        let before = self.fields.len();
        self.fields.retain(|(name, _)| name != field);
        self.fields.len() < before
    }
}

pub(crate) type Text = Vec<u8>;
pub(crate) type List = VecDeque<Vec<u8>>;

#[derive(Debug)]
pub(crate) enum Value {
    Text(Text),
    Hash(Hash),
    Sorted(Sorted),
    List(List),
    Stream(Stream),
}

/// A kind of value.
pub(crate) trait Kind: Default {
    fn of(value: &Value) -> Option<&Self>;
    fn of_mut(value: &mut Value) -> Option<&mut Self>;
    fn into_value(self) -> Value;
}

macro_rules! kinds {
    ($($kind:ident => $type:ty),* $(,)?) => {$(
        impl Kind for $type {
            fn of(value: &Value) -> Option<&Self> {
                if let Value::$kind(value) = value { Some(value) } else { None }
            }
            fn of_mut(value: &mut Value) -> Option<&mut Self> {
                if let Value::$kind(value) = value { Some(value) } else { None }
            }
            fn into_value(self) -> Value {
                Value::$kind(self)
            }
        }
    )*};
}

kinds![Text => Text, Hash => Hash, Sorted => Sorted, List => List, Stream => Stream];

#[derive(Debug)]
struct Slot {
    value: Value,
    expires: Option<u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Db {
    keys: BTreeMap<Vec<u8>, Slot>,
    /// Milliseconds since the Unix epoch.
    pub(crate) now: u64,
    pub(crate) full: bool,
    pub(crate) published: Vec<Message>,
    pub(crate) changed: BTreeSet<Vec<u8>>,
}

fn wrong_type() -> String {
    "WRONGTYPE Operation against a key holding the wrong kind of value".to_owned()
}

impl Db {
    pub(crate) fn clear(&mut self) {
        self.changed
            .extend(std::mem::take(&mut self.keys).into_keys());
    }

    fn live(&self, key: &[u8]) -> Option<&Slot> {
        self.keys
            .get(key)
            .filter(|slot| slot.expires.is_none_or(|expires| expires > self.now))
    }

    pub(crate) fn exists(&self, key: &[u8]) -> bool {
        self.live(key).is_some()
    }

    pub(crate) fn read<T: Kind>(&self, key: &[u8]) -> Result<Option<&T>, String> {
        match self.live(key) {
            None => Ok(None),
            Some(slot) => T::of(&slot.value).map(Some).ok_or_else(wrong_type),
        }
    }

    /// Changes a key, which is created empty when there is none and goes when it is left empty.
    pub(crate) fn write<T: Kind, R>(
        &mut self,
        key: &[u8],
        change: impl FnOnce(&mut T) -> R,
    ) -> Result<R, String> {
        if !self.exists(key) {
            let value = T::default().into_value();
            self.keys.insert(
                key.to_vec(),
                Slot {
                    value,
                    expires: None,
                },
            );
        }
        let slot = self.keys.get_mut(key).ok_or_else(wrong_type)?;
        let changed = change(T::of_mut(&mut slot.value).ok_or_else(wrong_type)?);
        let empty = match &slot.value {
            Value::Hash(hash) => hash.fields.is_empty(),
            Value::Sorted(sorted) => sorted.len() == 0,
            Value::List(list) => list.is_empty(),
            Value::Text(_) | Value::Stream(_) => false,
        };
        if empty {
            self.keys.remove(key);
        }
        self.changed.insert(key.to_vec());
        Ok(changed)
    }

    /// Puts a text into a key, whatever it was.
    pub(crate) fn put(&mut self, key: &[u8], text: Text, expires: Option<u64>) {
        let value = Value::Text(text);
        self.keys.insert(key.to_vec(), Slot { value, expires });
        self.changed.insert(key.to_vec());
    }

    /// Gives a key another name, whatever had that; false when there is no such key.
    pub(crate) fn rename(&mut self, from: &[u8], to: &[u8]) -> bool {
        if !self.exists(from) {
            return false;
        }
        if let Some(slot) = self.keys.remove(from) {
            self.keys.insert(to.to_vec(), slot);
        }
        self.changed.extend([from.to_vec(), to.to_vec()]);
        true
    }

    pub(crate) fn remove(&mut self, key: &[u8]) -> bool {
        let existed = self.exists(key);
        self.keys.remove(key);
        self.changed.insert(key.to_vec());
        existed
    }

    pub(crate) fn expire(&mut self, key: &[u8], at: u64) -> bool {
        if !self.exists(key) {
            return false;
        }
        if let Some(slot) = self.keys.get_mut(key) {
            slot.expires = Some(at);
        }
        self.changed.insert(key.to_vec());
        true
    }

    /// Milliseconds left: -1 for ever, -2 when there is no such key.
    pub(crate) fn left(&self, key: &[u8]) -> i64 {
        match self.live(key) {
            None => -2,
            Some(slot) => slot.expires.map_or(-1, |expires| {
                i64::try_from(expires - self.now).unwrap_or(i64::MAX)
            }),
        }
    }

    pub(crate) fn names_below<'a>(&'a self, prefix: &'a [u8]) -> impl Iterator<Item = &'a Vec<u8>> {
        let from = self.keys.range(prefix.to_vec()..);
        from.map(|(name, _)| name)
            .take_while(move |name| name.starts_with(prefix))
            .filter(|name| self.exists(name))
    }

    pub(crate) fn names(&self) -> Vec<Vec<u8>> {
        let live = self.keys.keys().filter(|key| self.exists(key));
        live.cloned().collect()
    }

    /// The kind of a key as `TYPE` names it.
    pub(crate) fn kind(&self, key: &[u8]) -> &'static str {
        match self.live(key).map(|slot| &slot.value) {
            None => "none",
            Some(Value::Text(_)) => "string",
            Some(Value::Hash(_)) => "hash",
            Some(Value::Sorted(_)) => "zset",
            Some(Value::List(_)) => "list",
            Some(Value::Stream(_)) => "stream",
        }
    }

    pub(crate) fn look(&self, key: &[u8]) -> (Reply, i64) {
        let Some(slot) = self.live(key) else {
            return (Reply::Nil, -2);
        };
        let pair = |name: &[u8], value: &[u8]| [Reply::bytes(name), Reply::bytes(value)];
        let reply = match &slot.value {
            Value::Text(text) => Reply::bytes(text),
            Value::Hash(hash) => Reply::List(
                hash.fields
                    .iter()
                    .flat_map(|(name, value)| pair(name, value))
                    .collect(),
            ),
            Value::Sorted(sorted) => Reply::List(
                sorted
                    .iter()
                    .flat_map(|(score, member)| pair(member, &score.print()))
                    .collect(),
            ),
            Value::List(list) => Reply::List(list.iter().map(|item| Reply::bytes(item)).collect()),
            Value::Stream(stream) => Reply::List(
                stream
                    .entries()
                    .map(|fields| {
                        Reply::List(fields.iter().map(|field| Reply::bytes(field)).collect())
                    })
                    .collect(),
            ),
        };
        (reply, self.left(key))
    }
}
