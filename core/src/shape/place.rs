//! Where a value lies in another one.
//!
//! Places are known when the program is built: each request that is read shows some thirty of them twice, and none of that is memory.

use std::fmt;
use std::marker::PhantomData;

/// Where a `T` lies in an `S`.
pub trait Place<S: 'static, T: 'static>: Copy + 'static {
    /// What lies there.
    fn get(self, of: &S) -> &T;

    /// What lies there, to be changed.
    fn set(self, of: &mut S) -> &mut T;

    /// A place in what lies there.
    #[must_use]
    fn at<U: 'static, P: Place<T, U>>(self, inner: P) -> Within<Self, P, T> {
        Within {
            outer: self,
            inner,
            between: PhantomData,
        }
    }
}

/// A place that two functions find.
pub struct Found<S, T> {
    get: fn(&S) -> &T,
    set: fn(&mut S) -> &mut T,
}

/// A place in the `T` that lies at another one.
pub struct Within<O, I, T> {
    outer: O,
    inner: I,
    between: PhantomData<fn(&T)>,
}

impl<S, T> Found<S, T> {
    /// The place that both find.
    pub const fn new(get: fn(&S) -> &T, set: fn(&mut S) -> &mut T) -> Self {
        Self { get, set }
    }
}

impl<S: 'static, T: 'static> Place<S, T> for Found<S, T> {
    fn get(self, of: &S) -> &T {
        (self.get)(of)
    }

    fn set(self, of: &mut S) -> &mut T {
        (self.set)(of)
    }
}

impl<S, T, U, O, I> Place<S, U> for Within<O, I, T>
where
    S: 'static,
    T: 'static,
    U: 'static,
    O: Place<S, T>,
    I: Place<T, U>,
{
    fn get(self, of: &S) -> &U {
        self.inner.get(self.outer.get(of))
    }

    fn set(self, of: &mut S) -> &mut U {
        self.inner.set(self.outer.set(of))
    }
}

impl<S, T> Clone for Found<S, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S, T> Copy for Found<S, T> {}

impl<O: Copy, I: Copy, T> Clone for Within<O, I, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<O: Copy, I: Copy, T> Copy for Within<O, I, T> {}

impl<S, T> fmt::Debug for Found<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found").finish_non_exhaustive()
    }
}

impl<O, I, T> fmt::Debug for Within<O, I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Within").finish_non_exhaustive()
    }
}

/// The [`Place`](crate::shape::Place) of a field: `place!(JobSpec: options)`, `place!(Self: options.retry)`.
#[macro_export]
macro_rules! place {
    ($of:ty: $($path:tt)+) => {
        $crate::shape::Found::new(|of: &$of| &of.$($path)+, |of: &mut $of| &mut of.$($path)+)
    };
}

pub use place;
