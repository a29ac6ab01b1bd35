//! Builds the arguments of scripts that take more than four: each has a name, so that neither side counts positions (`lua/lib/args.lua`).
//!
//! Where a script takes a list, its items stand behind the named ones, without names: [`Args::items`] ends the building, so that no name
//! comes behind it.

use fred::types::Value;

/// The named arguments of one call.
#[derive(Debug, Default)]
pub(crate) struct Args {
    /// In the order of `values`, with a space between them.
    names: String,
    values: Vec<Value>,
}

impl Args {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// An argument that may be anything, also empty.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        debug_assert!(
            !name.contains(' ') && self.names.split(' ').all(|other| other != name),
            "`{name}` is one word, and given once"
        );
        if !self.names.is_empty() {
            self.names.push(' ');
        }
        self.names.push_str(name);
        self.values.push(value.into());
        self
    }

    /// One that is left out where there is none.
    pub(crate) fn with_optional(self, name: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// A text that is left out where it is empty.
    pub(crate) fn with_filled(self, name: &'static str, text: &str) -> Self {
        self.with_optional(name, Some(text).filter(|text| !text.is_empty()))
    }

    /// A number; one beyond 64 bits is the greatest.
    pub(crate) fn with_number(self, name: &'static str, number: impl TryInto<u64>) -> Self {
        let number = number.try_into().unwrap_or(u64::MAX);
        self.with(name, number.to_string())
    }

    /// A number that is left out where there is none.
    pub(crate) fn with_optional_number(self, name: &'static str, number: Option<u64>) -> Self {
        self.with_optional(name, number.map(|number| number.to_string()))
    }

    /// 1 when it is true; left out when it is not.
    pub(crate) fn with_flag(self, name: &'static str, is_set: bool) -> Self {
        self.with_optional(name, is_set.then_some("1"))
    }

    /// Everything, with the items of a list behind it.
    pub(crate) fn items(self, items: impl IntoIterator<Item = Value>) -> Vec<Value> {
        let items = items.into_iter();
        let mut all = Vec::with_capacity(1 + self.values.len() + items.size_hint().0);
        all.push(Value::from(self.names));
        all.extend(self.values);
        all.extend(items);
        all
    }

    /// Everything, of a script that takes no list.
    pub(crate) fn alone(self) -> Vec<Value> {
        self.items([])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(values: &[Value]) -> Vec<String> {
        let text = |value: &Value| value.as_string().unwrap();
        values.iter().map(text).collect()
    }

    #[test]
    fn names_stand_in_front_of_values_and_items_behind_them() {
        let args = Args::new()
            .with("job", "a/b")
            .with_number("revision", 7_usize)
            .with("note", "");
        let items = ["one", ""].map(Value::from);
        let all = args.items(items);
        assert_eq!(
            texts(&all),
            ["job revision note", "a/b", "7", "", "one", ""]
        );
    }

    #[test]
    fn what_is_nothing_is_left_out() {
        let args = Args::new()
            .with_optional("reduce", None::<String>)
            .with_filled("note", "")
            .with_optional_number("soonest", None)
            .with_flag("alone", false)
            .with_optional("body", Some(""))
            .with_filled("group", "g")
            .with_optional_number("due_ms", Some(0))
            .with_flag("resume", true);
        let all = texts(&args.alone());
        assert_eq!(all, ["body group due_ms resume", "", "g", "0", "1"]);
    }

    #[test]
    #[should_panic(expected = "`job` is one word, and given once")]
    fn a_name_is_given_once() {
        drop(Args::new().with("job", "a/b").with("job", "a/c"));
    }
}
