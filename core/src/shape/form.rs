//! What one value looks like.

use serde_json::Value;

use crate::error::Violations;

/// Whether what is the default is written as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defaults {
    /// Only what differs.
    LeftOut,
    /// Everything that holds; what has no default and was not given is left out all the same.
    Written,
}

/// How values of a type stand in a file.
pub trait Form<T> {
    /// The value.
    ///
    /// # Errors
    /// All mistakes, each with its path below the value.
    fn read(&self, value: &Value) -> Result<T, Violations>;

    /// The value as it is read again; null where there is none.
    fn write(&self, value: &T, defaults: Defaults) -> Value;

    /// The JSON Schema of what can be read.
    fn describe(&self) -> Value;

    /// What is out of range in a value that has the form, each under its path below the value. Not what a type of its own checks.
    fn check(&self, _value: &T, _found: &mut Violations) {}
}

/// A value that may be missing.
#[derive(Debug, Clone, Copy)]
pub struct Maybe<F>(pub F);

impl<T, F: Form<T>> Form<Option<T>> for Maybe<F> {
    fn read(&self, value: &Value) -> Result<Option<T>, Violations> {
        self.0.read(value).map(Some)
    }

    fn write(&self, value: &Option<T>, defaults: Defaults) -> Value {
        value
            .as_ref()
            .map_or(Value::Null, |value| self.0.write(value, defaults))
    }

    fn describe(&self) -> Value {
        self.0.describe()
    }

    fn check(&self, value: &Option<T>, found: &mut Violations) {
        if let Some(value) = value {
            self.0.check(value, found);
        }
    }
}

/// A value that stands in a file as another one does.
#[derive(Debug)]
pub struct Via<F, A, B> {
    /// The form of the other one.
    pub form: F,
    /// From the other one.
    pub read: fn(A) -> Result<B, Violations>,
    /// To the other one.
    pub write: fn(&B) -> A,
}

impl<A, B, F: Form<A>> Form<B> for Via<F, A, B> {
    fn read(&self, value: &Value) -> Result<B, Violations> {
        self.form.read(value).and_then(self.read)
    }

    fn write(&self, value: &B, defaults: Defaults) -> Value {
        self.form.write(&(self.write)(value), defaults)
    }

    fn describe(&self) -> Value {
        self.form.describe()
    }

    fn check(&self, value: &B, found: &mut Violations) {
        self.form.check(&(self.write)(value), found);
    }
}
