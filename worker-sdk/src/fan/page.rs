//! Items are gathered into pages: what is written, what a tracker takes in one call, and what a worker has in memory.

use bytes::Bytes;
use tickwheel_core::bounds::{SPLIT_ITEMS_MAX, SUBTASK_BODY_BYTES_MAX};

use super::FanError;
use crate::bounds::PAGE_BYTES_MAX;

/// A page that is being filled.
#[derive(Debug, Default)]
pub(super) struct Page {
    items: Vec<Bytes>,
    bytes: usize,
}

impl Page {
    /// Adds an item that is not too great for a subtask. A page that it fills is returned; an item that does not fit into what is left
    /// begins the next one.
    pub(super) fn add(&mut self, index: u64, item: Bytes) -> Result<Option<Vec<Bytes>>, FanError> {
        let bytes = item.len();
        if bytes > SUBTASK_BODY_BYTES_MAX {
            return Err(FanError::BodyTooLarge {
                index,
                bytes,
                limit: SUBTASK_BODY_BYTES_MAX,
            });
        }
        let full = (self.bytes + bytes > PAGE_BYTES_MAX).then(|| self.take());
        self.bytes += bytes;
        self.items.push(item);
        Ok(full.or_else(|| (self.items.len() >= SPLIT_ITEMS_MAX).then(|| self.take())))
    }

    /// What is left at the end; may be empty.
    pub(super) fn take(&mut self) -> Vec<Bytes> {
        self.bytes = 0;
        std::mem::take(&mut self.items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(bytes: usize) -> Bytes {
        vec![b'x'; bytes].into()
    }

    #[test]
    fn a_page_is_full_of_items_or_of_bytes() {
        let mut page = Page::default();
        for index in 0..999 {
            assert_eq!(page.add(index, item(1)).unwrap(), None);
        }
        assert_eq!(page.add(999, item(1)).unwrap().unwrap().len(), 1_000);
        assert_eq!(page.add(0, item(262_144)).unwrap(), None);
        assert_eq!(page.add(1, item(262_144)).unwrap(), None);
        assert_eq!(page.add(2, item(1)).unwrap().unwrap().len(), 2);
        assert_eq!(page.take().len(), 1);
        assert_eq!(page.take().len(), 0);
    }

    #[test]
    fn an_item_too_great_is_refused_with_its_place() {
        let mut page = Page::default();
        let wrong = page.add(1_234, item(262_145)).unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "item 1234 of the map has 262145 bytes, the limit is 262144"
        );
    }
}
