//! What a list answers: what could be read, and how much could not.

use crate::error::Error;

/// A page of a list. One record that cannot be read hides no other: it is counted, and `tickwheel store check` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// What could be read, in the order of the list.
    pub items: Vec<T>,
    /// Where the next page begins; empty behind the last, and of a list without pages.
    pub next: String,
    /// Records of this page that could not be read, and keys of a wrong type.
    pub unreadable: u64,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            next: String::new(),
            unreadable: 0,
        }
    }
}

impl<T> Listed<T> {
    /// Adds what was read of one record of `list`, or counts it.
    ///
    /// # Errors
    /// What is no fault of the record.
    pub(crate) fn add(&mut self, list: &'static str, read: Result<T, Error>) -> Result<(), Error> {
        if let Some(item) = self.readable(list, read)? {
            self.items.push(item);
        }
        Ok(())
    }

    /// What was read of a part of `list`; `None` when that could not be, which is counted.
    ///
    /// # Errors
    /// What is no fault of the part.
    pub(crate) fn readable<P>(
        &mut self,
        list: &'static str,
        read: Result<P, Error>,
    ) -> Result<Option<P>, Error> {
        match read {
            Ok(part) => Ok(Some(part)),
            Err(error @ (Error::Contract { .. } | Error::Damaged { .. })) => {
                self.skip(list, 1);
                tracing::debug!(list, %error, "a record cannot be read");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Counts what a script passed by.
    pub(crate) fn skip(&mut self, list: &'static str, unreadable: u64) {
        if unreadable > 0 && self.unreadable == 0 {
            tracing::warn!(
                list,
                "a list has records that cannot be read: see `tickwheel store check`"
            );
        }
        self.unreadable += unreadable;
    }
}

/// A page is used like its items.
impl<T> std::ops::Deref for Listed<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<T> IntoIterator for Listed<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

/// A page that is whole, in which nothing was unreadable and behind which nothing follows.
impl<T: PartialEq, const N: usize> PartialEq<[T; N]> for Listed<T> {
    fn eq(&self, items: &[T; N]) -> bool {
        self.items == *items && self.unreadable == 0 && self.next.is_empty()
    }
}
