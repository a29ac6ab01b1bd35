//! Reads replies whose values have names: `name, value` pairs in any order, so that neither side counts positions.

use bytes::Bytes;
use fred::types::Value;

use crate::error::Error;
use crate::reply::{Element, Reply};

/// The named values of one reply, or of one record in it. They are few, so each is looked for from the first one on.
pub(crate) struct Fields {
    script: &'static str,
    /// Name and value of each that was not read yet.
    pairs: Vec<Value>,
}

impl Fields {
    /// Has `read` read what is left of `reply`. A field that it does not ask for is an error, as is one that is there twice: a script and
    /// its caller disagree.
    pub(crate) fn read<T>(
        reply: Reply,
        read: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (script, pairs) = reply.into_rest();
        if !pairs.len().is_multiple_of(2) {
            return Err(Error::contract(script, "a field has no value"));
        }
        let mut fields = Self { script, pairs };
        let found = read(&mut fields)?;
        match fields.pairs.first() {
            None => Ok(found),
            Some(name) => Err(Error::contract(
                script,
                format_args!("the field {name:?} is not known"),
            )),
        }
    }

    fn place_of(&self, name: &str) -> Option<usize> {
        let is_it =
            |pair: &[Value]| pair.first().and_then(Value::as_bytes) == Some(name.as_bytes());
        self.pairs.chunks_exact(2).position(is_it)
    }

    /// A field that may be absent.
    pub(crate) fn optional(&mut self, name: &'static str) -> Result<Option<Element>, Error> {
        let Some(place) = self.place_of(name) else {
            return Ok(None);
        };
        // The last pair takes its place: first the value, then the name.
        let value = self.pairs.swap_remove(2 * place + 1);
        self.pairs.swap_remove(2 * place);
        if self.place_of(name).is_some() {
            return Err(Error::contract(
                self.script,
                format_args!("the field `{name}` is there twice"),
            ));
        }
        Ok(Some(Element {
            script: self.script,
            name,
            value,
        }))
    }

    /// A field that is always there.
    pub(crate) fn required(&mut self, name: &'static str) -> Result<Element, Error> {
        let script = self.script;
        self.optional(name)?
            .ok_or_else(|| Error::contract(script, format_args!("the field `{name}` is missing")))
    }

    pub(crate) fn number(&mut self, name: &'static str) -> Result<u64, Error> {
        self.required(name)?.number()
    }

    pub(crate) fn optional_number(&mut self, name: &'static str) -> Result<Option<u64>, Error> {
        self.optional(name)?.map(Element::number).transpose()
    }

    /// A number that is 0 where it is absent.
    pub(crate) fn count(&mut self, name: &'static str) -> Result<u64, Error> {
        Ok(self.optional_number(name)?.unwrap_or_default())
    }

    /// True when it is 1, false where it is absent.
    pub(crate) fn flag(&mut self, name: &'static str) -> Result<bool, Error> {
        Ok(self.count(name)? == 1)
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Result<String, Error> {
        self.required(name)?.text()
    }

    /// A text that is empty where it is absent.
    pub(crate) fn text_or_empty(&mut self, name: &'static str) -> Result<String, Error> {
        let text = self.optional(name)?.map(Element::text);
        Ok(text.transpose()?.unwrap_or_default())
    }

    pub(crate) fn bytes(&mut self, name: &'static str) -> Result<Bytes, Error> {
        self.required(name)?.bytes()
    }

    /// Bytes that are none where the field is absent.
    pub(crate) fn bytes_or_none(&mut self, name: &'static str) -> Result<Bytes, Error> {
        let bytes = self.optional(name)?.map(Element::bytes);
        Ok(bytes.transpose()?.unwrap_or_default())
    }

    pub(crate) fn list(&mut self, name: &'static str) -> Result<Reply, Error> {
        self.required(name)?.list()
    }

    /// A list that is empty where it is absent.
    pub(crate) fn list_or_empty(&mut self, name: &'static str) -> Result<Reply, Error> {
        match self.optional(name)? {
            Some(list) => list.list(),
            None => Ok(Reply::of(self.script, Vec::new())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(values: &[&str]) -> Reply {
        let mut all = vec![Value::from("DONE")];
        all.extend(values.iter().map(|value| Value::from(*value)));
        Reply::expect("area/verb", Value::Array(all), "DONE").unwrap()
    }

    /// What an error says when `now` is required and `more` is not.
    fn refusal(values: &[&str]) -> String {
        let read = Fields::read(reply(values), |fields| {
            Ok((fields.number("now")?, fields.count("more")?))
        });
        let said = read.unwrap_err().to_string();
        said.replace("contract broken in script ", "")
    }

    #[test]
    fn fields_are_found_in_any_order_and_have_defaults() {
        let read = |values: &[&str]| {
            Fields::read(reply(values), |fields| {
                let list = fields.list_or_empty("list")?;
                assert!(list.is_empty());
                Ok((
                    fields.number("now")?,
                    fields.flag("more")?,
                    fields.text_or_empty("word")?,
                    fields.bytes_or_none("body")?.len(),
                ))
            })
            .unwrap()
        };
        assert_eq!(read(&["now", "7"]), (7, false, String::new(), 0));
        let all = ["word", "now", "more", "1", "body", "abc", "now", "8"];
        assert_eq!(read(&all), (8, true, "now".to_owned(), 3));
    }

    #[test]
    fn names_may_be_bytes_and_lists_have_fields_of_their_own() {
        let inner = vec![Value::Bytes("id".into()), Value::from(3)];
        let all = vec![
            Value::from("DONE"),
            Value::Bytes("one".into()),
            Value::Array(inner),
        ];
        let reply = Reply::expect("area/verb", Value::Array(all), "DONE").unwrap();
        let id = Fields::read(reply, |fields| {
            Fields::read(fields.list("one")?, |one| one.number("id"))
        });
        assert_eq!(id.unwrap(), 3);
    }

    #[test]
    fn what_the_script_and_its_caller_disagree_about_is_named() {
        assert_eq!(
            refusal(&["more", "1"]),
            "area/verb: the field `now` is missing"
        );
        let twice = ["now", "1", "more", "2", "more", "3"];
        let said = refusal(&twice);
        assert!(said.contains("the field `more` is there twice"), "{said}");
        let unknown = refusal(&["now", "1", "then", "2"]);
        assert!(unknown.contains("then"), "{unknown}");
        assert!(unknown.contains("is not known"), "{unknown}");
        let odd = refusal(&["now", "1", "more"]);
        assert_eq!(odd, "area/verb: \"a field has no value\"");
        let value = refusal(&["now", "soon"]);
        assert!(value.starts_with("area/verb: now: "), "{value}");
    }
}
