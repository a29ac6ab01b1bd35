//! Decodes what scripts answer: the status word first, then values in the order of the header. Where they have names, `fields.rs` reads them.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "of the client's many kinds of values, scripts answer with few"
)]

use bytes::Bytes;
use fred::types::Value;

use crate::error::Error;

/// Walks the elements of one script's reply.
pub(crate) struct Reply {
    script: &'static str,
    elements: std::vec::IntoIter<Value>,
}

/// One value of a reply, for which its script and its name, where it has one, are told when it is not what was expected.
pub(crate) struct Element {
    pub(crate) script: &'static str,
    /// Empty where its place says what it is.
    pub(crate) name: &'static str,
    pub(crate) value: Value,
}

impl Reply {
    /// Opens `value` and checks that it starts with the status word `status`.
    pub(crate) fn expect(script: &'static str, value: Value, status: &str) -> Result<Self, Error> {
        let (found, reply) = Self::open(script, value)?;
        if found == status {
            Ok(reply)
        } else {
            Err(Error::contract(script, found))
        }
    }

    /// Opens `value`: its status word, and the rest.
    pub(crate) fn open(script: &'static str, value: Value) -> Result<(String, Self), Error> {
        let Value::Array(elements) = value else {
            return Err(Error::contract(script, value));
        };
        let mut reply = Self::of(script, elements);
        let status = reply.text()?;
        Ok((status, reply))
    }

    /// A list that was found in a reply of `script`.
    pub(crate) fn of(script: &'static str, elements: Vec<Value>) -> Self {
        Self {
            script,
            elements: elements.into_iter(),
        }
    }

    /// The script, and the elements that were not walked over.
    pub(crate) fn into_rest(self) -> (&'static str, Vec<Value>) {
        (self.script, self.elements.collect())
    }

    fn element(&mut self) -> Result<Element, Error> {
        let value = self.elements.next();
        Ok(Element {
            script: self.script,
            name: "",
            value: value.ok_or_else(|| Error::contract(self.script, "the reply is too short"))?,
        })
    }

    pub(crate) fn text(&mut self) -> Result<String, Error> {
        self.element()?.text()
    }

    /// A text for people: what is no text is replaced.
    pub(crate) fn shown(&mut self) -> Result<String, Error> {
        self.element()?.shown()
    }

    pub(crate) fn bytes(&mut self) -> Result<Bytes, Error> {
        self.element()?.bytes()
    }

    pub(crate) fn number(&mut self) -> Result<u64, Error> {
        self.element()?.number()
    }

    /// A text of a type with a grammar.
    pub(crate) fn parsed<T: std::str::FromStr>(&mut self) -> Result<T, Error> {
        self.element()?.parsed()
    }

    /// A number, or `None` for the empty text.
    pub(crate) fn optional_number(&mut self) -> Result<Option<u64>, Error> {
        let element = self.element()?;
        match into_number(&element.value) {
            Some(number) => Ok(Some(number)),
            None if into_text(element.value.clone()).is_ok_and(|text| text.is_empty()) => Ok(None),
            None => Err(element.unexpected()),
        }
    }

    /// A nested array.
    pub(crate) fn list(&mut self) -> Result<Self, Error> {
        self.element()?.list()
    }

    /// A nested array of texts.
    pub(crate) fn texts(&mut self) -> Result<Vec<String>, Error> {
        self.element()?.texts()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.elements.len() == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.elements.len()
    }
}

impl Element {
    fn unexpected(self) -> Error {
        let Self {
            script,
            name,
            value,
        } = self;
        if name.is_empty() {
            Error::contract(script, value)
        } else {
            Error::contract(script, format_args!("{name}: {value:?}"))
        }
    }

    /// What `read` makes of the value, which it gives back when it cannot.
    fn into<T>(self, read: impl FnOnce(Value) -> Result<T, Value>) -> Result<T, Error> {
        let (script, name) = (self.script, self.name);
        read(self.value).map_err(|value| {
            let element = Self {
                script,
                name,
                value,
            };
            element.unexpected()
        })
    }

    pub(crate) fn text(self) -> Result<String, Error> {
        self.into(into_text)
    }

    pub(crate) fn bytes(self) -> Result<Bytes, Error> {
        self.into(into_bytes)
    }

    pub(crate) fn number(self) -> Result<u64, Error> {
        self.into(|value| into_number(&value).ok_or(value))
    }

    /// A text for people: what is no text is replaced.
    pub(crate) fn shown(self) -> Result<String, Error> {
        let bytes = self.into(|value| match value {
            Value::Integer(number) => Ok(number.to_string().into()),
            other => into_bytes(other),
        })?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// A text of a type with a grammar.
    pub(crate) fn parsed<T: std::str::FromStr>(self) -> Result<T, Error> {
        self.into(|value| {
            let text = into_text(value)?;
            text.parse().map_err(|_| Value::from(text))
        })
    }

    /// A nested array.
    pub(crate) fn list(self) -> Result<Reply, Error> {
        let script = self.script;
        self.into(|value| match value {
            Value::Array(elements) => Ok(Reply::of(script, elements)),
            other => Err(other),
        })
    }

    /// A nested array of texts.
    pub(crate) fn texts(self) -> Result<Vec<String>, Error> {
        let mut list = self.list()?;
        let mut texts = Vec::with_capacity(list.len());
        while !list.is_empty() {
            texts.push(list.text()?);
        }
        Ok(texts)
    }
}

pub(crate) fn into_text(value: Value) -> Result<String, Value> {
    match value {
        Value::String(text) => Ok(text.to_string()),
        Value::Bytes(bytes) => String::from_utf8(bytes.to_vec()).map_err(|_| Value::Bytes(bytes)),
        Value::Integer(number) => Ok(number.to_string()),
        other => Err(other),
    }
}

pub(crate) fn into_bytes(value: Value) -> Result<Bytes, Value> {
    match value {
        Value::String(text) => Ok(text.into_inner()),
        Value::Bytes(bytes) => Ok(bytes),
        other => Err(other),
    }
}

pub(crate) fn into_number(value: &Value) -> Option<u64> {
    match value {
        Value::Integer(number) => u64::try_from(*number).ok(),
        Value::String(text) => text.parse().ok(),
        Value::Double(number) => number.to_string().parse().ok(),
        _ => None,
    }
}
