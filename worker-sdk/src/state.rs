//! What all attempts of a worker share, by its type.

use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::error::{HandlerError, HandlerResult};

/// One value of each type.
#[derive(Clone, Default)]
pub(crate) struct State {
    values: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
}

impl State {
    /// `false`: there is one of this type.
    pub(crate) fn insert<T: Send + Sync + 'static>(&mut self, value: T) -> bool {
        let value = Arc::new(value);
        self.values.insert(TypeId::of::<T>(), value).is_none()
    }

    pub(crate) fn get<T: Send + Sync + 'static>(&self) -> HandlerResult<&T> {
        let value = self.values.get(&TypeId::of::<T>());
        value
            .and_then(|value| value.downcast_ref())
            .ok_or_else(|| missing(type_name::<T>()))
    }
}

fn missing(name: &str) -> HandlerError {
    HandlerError::from(format!(
        "this worker has no state of type `{name}`: give it one with `WorkerBuilder::state`"
    ))
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "State({} values)", self.values.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_its_value() {
        let mut state = State::default();
        assert!(state.insert(7_u32));
        assert!(state.insert("text"));
        assert!(!state.insert(8_u32), "a second one");
        assert_eq!(*state.get::<u32>().unwrap(), 8);
        assert_eq!(*state.get::<&str>().unwrap(), "text");
        let missing = state.get::<u64>().unwrap_err().message();
        assert_eq!(
            missing,
            "this worker has no state of type `u64`: give it one with `WorkerBuilder::state`"
        );
    }
}
