//! Where a value lies in another one.

use std::fmt;
use std::rc::Rc;

type Get<S, T> = Rc<dyn Fn(&S) -> &T>;
type Set<S, T> = Rc<dyn Fn(&mut S) -> &mut T>;

/// Where a `T` lies in an `S`.
pub struct Place<S, T> {
    get: Get<S, T>,
    set: Set<S, T>,
}

impl<S: 'static, T: 'static> Place<S, T> {
    /// The place that both find.
    pub fn new(get: impl Fn(&S) -> &T + 'static, set: impl Fn(&mut S) -> &mut T + 'static) -> Self {
        Self {
            get: Rc::new(get),
            set: Rc::new(set),
        }
    }

    /// What lies there.
    #[must_use]
    pub fn get<'a>(&self, of: &'a S) -> &'a T {
        (self.get)(of)
    }

    /// What lies there, to be changed.
    pub fn set<'a>(&self, of: &'a mut S) -> &'a mut T {
        (self.set)(of)
    }

    /// A place in what lies there.
    #[must_use]
    pub fn at<U: 'static>(&self, inner: Place<T, U>) -> Place<S, U> {
        let (get, set) = (Rc::clone(&self.get), Rc::clone(&self.set));
        Place {
            get: Rc::new(move |of| (inner.get)(get(of))),
            set: Rc::new(move |of| (inner.set)(set(of))),
        }
    }
}

impl<S, T> fmt::Debug for Place<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").finish_non_exhaustive()
    }
}

/// The [`Place`](crate::shape::Place) of a field: `place!(JobSpec: options)`, `place!(Self: options.retry)`.
#[macro_export]
macro_rules! place {
    ($of:ty: $($path:tt)+) => {
        $crate::shape::Place::new(|of: &$of| &of.$($path)+, |of: &mut $of| &mut of.$($path)+)
    };
}

pub use place;
