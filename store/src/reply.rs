//! Decodes what scripts answer: the status word first, then fields in the order of the header.
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
        let mut reply = Self {
            script,
            elements: elements.into_iter(),
        };
        let status = reply.text()?;
        Ok((status, reply))
    }

    fn required(&mut self) -> Result<Value, Error> {
        self.elements
            .next()
            .ok_or_else(|| Error::contract(self.script, "the reply is too short"))
    }

    pub(crate) fn text(&mut self) -> Result<String, Error> {
        let value = self.required()?;
        into_text(value).map_err(|value| Error::contract(self.script, value))
    }

    /// A text for people: what is no text is replaced.
    pub(crate) fn shown(&mut self) -> Result<String, Error> {
        Ok(String::from_utf8_lossy(&self.bytes_or_number()?).into_owned())
    }

    /// A nested array of texts for people.
    pub(crate) fn shown_texts(&mut self) -> Result<Vec<String>, Error> {
        let mut list = self.list()?;
        let mut texts = Vec::with_capacity(list.len());
        while !list.is_empty() {
            texts.push(list.shown()?);
        }
        Ok(texts)
    }

    fn bytes_or_number(&mut self) -> Result<Bytes, Error> {
        let value = self.required()?;
        if let Value::Integer(number) = value {
            return Ok(number.to_string().into());
        }
        into_bytes(value).map_err(|value| Error::contract(self.script, value))
    }

    pub(crate) fn bytes(&mut self) -> Result<Bytes, Error> {
        let value = self.required()?;
        into_bytes(value).map_err(|value| Error::contract(self.script, value))
    }

    pub(crate) fn number(&mut self) -> Result<u64, Error> {
        let value = self.required()?;
        into_number(&value).ok_or_else(|| Error::contract(self.script, value))
    }

    /// A text of a type with a grammar.
    pub(crate) fn parsed<T: std::str::FromStr>(&mut self) -> Result<T, Error> {
        let text = self.text()?;
        text.parse().map_err(|_| Error::contract(self.script, text))
    }

    /// A number, or `None` for the empty text.
    pub(crate) fn optional_number(&mut self) -> Result<Option<u64>, Error> {
        let value = self.required()?;
        match into_number(&value) {
            Some(number) => Ok(Some(number)),
            None if into_text(value.clone()).is_ok_and(|text| text.is_empty()) => Ok(None),
            None => Err(Error::contract(self.script, value)),
        }
    }

    /// A nested array.
    pub(crate) fn list(&mut self) -> Result<Self, Error> {
        match self.required()? {
            Value::Array(elements) => Ok(Self {
                script: self.script,
                elements: elements.into_iter(),
            }),
            other => Err(Error::contract(self.script, other)),
        }
    }

    /// A nested array of texts.
    pub(crate) fn texts(&mut self) -> Result<Vec<String>, Error> {
        let list = self.list()?;
        let script = self.script;
        list.elements
            .map(|value| into_text(value).map_err(|value| Error::contract(script, value)))
            .collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.elements.len() == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.elements.len()
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
