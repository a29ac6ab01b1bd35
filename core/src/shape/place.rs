//! Where a value lies in another one.

use std::rc::Rc;

type Get<S, T> = Rc<dyn Fn(&S) -> &T>;
type Set<S, T> = Rc<dyn Fn(&mut S) -> &mut T>;

/// Where a `T` lies in an `S`.
pub(crate) struct Place<S, T> {
    get: Get<S, T>,
    set: Set<S, T>,
}

impl<S: 'static, T: 'static> Place<S, T> {
    /// The place that both find.
    pub(crate) fn new(
        get: impl Fn(&S) -> &T + 'static,
        set: impl Fn(&mut S) -> &mut T + 'static,
    ) -> Self {
        Self {
            get: Rc::new(get),
            set: Rc::new(set),
        }
    }

    /// What lies there.
    pub(crate) fn get<'a>(&self, of: &'a S) -> &'a T {
        (self.get)(of)
    }

    /// What lies there, to be changed.
    pub(crate) fn set<'a>(&self, of: &'a mut S) -> &'a mut T {
        (self.set)(of)
    }

    /// A place in what lies there.
    pub(crate) fn at<U: 'static>(&self, inner: Place<T, U>) -> Place<S, U> {
        let (get, set) = (Rc::clone(&self.get), Rc::clone(&self.set));
        Place {
            get: Rc::new(move |of| (inner.get)(get(of))),
            set: Rc::new(move |of| (inner.set)(set(of))),
        }
    }
}

/// The place of a field: `place!(JobSpec: options)`, `place!(Self: options.retry)`.
macro_rules! place {
    ($of:ty: $($path:tt)+) => {
        $crate::shape::Place::new(|of: &$of| &of.$($path)+, |of: &mut $of| &mut of.$($path)+)
    };
}

pub(crate) use place;
