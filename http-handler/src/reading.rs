//! The body of an answer: counted, searched, and of it the beginning kept.

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use memchr::memmem::Finder;

use crate::exchange::broken;
use crate::failure::Failure;

/// Bytes of an answer that a result shows.
const KEPT_BYTES_MAX: usize = 1_024;

/// What was read of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) bytes: u64,
    /// The beginning; empty unless it was to be kept.
    pub(crate) begin: Vec<u8>,
    /// Whether the text was in it; true where none was looked for.
    pub(crate) has_text: bool,
}

/// What to look for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) most: u64,
    pub(crate) text: Option<&'a str>,
    pub(crate) keep: bool,
}

/// Reads an answer to its end.
pub(crate) async fn read(body: &mut Incoming, wanted: Wanted<'_>) -> Result<Read, Failure> {
    let mut reading = Reading::new(wanted);
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(broken)?.into_data() {
            reading.take(&data)?;
        }
    }
    Ok(reading.end())
}

struct Reading<'a> {
    wanted: Wanted<'a>,
    read: Read,
    search: Option<Search<'a>>,
}

impl<'a> Reading<'a> {
    fn new(wanted: Wanted<'a>) -> Self {
        Self {
            wanted,
            read: Read {
                bytes: 0,
                begin: Vec::new(),
                has_text: wanted.text.is_none(),
            },
            search: wanted.text.map(Search::new),
        }
    }

    fn take(&mut self, data: &Bytes) -> Result<(), Failure> {
        self.read.bytes = self.read.bytes.saturating_add(data.len() as u64);
        if self.read.bytes > self.wanted.most {
            return Err(Failure::TooLong(self.wanted.most));
        }
        if self.wanted.keep {
            let room = KEPT_BYTES_MAX.saturating_sub(self.read.begin.len());
            self.read.begin.extend(data.iter().take(room));
        }
        if let Some(search) = &mut self.search {
            search.take(data);
        }
        Ok(())
    }

    fn end(mut self) -> Read {
        if let Some(search) = self.search {
            self.read.has_text = search.end();
        }
        self.read
    }
}

/// Looks for a text in what comes in pieces, and keeps no more than one piece and the end of the one before.
struct Search<'a> {
    finder: Finder<'a>,
    window: Vec<u8>,
    found: bool,
}

/// Pieces may be of one byte: they are gathered, so that each byte is looked at about once.
const WINDOW_BYTES: usize = 8_192;

impl<'a> Search<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            finder: Finder::new(text),
            window: Vec::new(),
            found: false,
        }
    }

    fn take(&mut self, data: &[u8]) {
        if self.found {
            return;
        }
        self.window.extend_from_slice(data);
        if self.window.len() >= WINDOW_BYTES {
            self.look();
            // What is found across the border begins within the end of this one.
            let tail = self.finder.needle().len().saturating_sub(1);
            self.window.drain(..self.window.len().saturating_sub(tail));
        }
    }

    fn look(&mut self) {
        self.found = self.found || self.finder.find(&self.window).is_some();
    }

    fn end(mut self) -> bool {
        self.look();
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_in_pieces(answer: &[u8], piece: usize, wanted: Wanted<'_>) -> Result<Read, Failure> {
        let mut reading = Reading::new(wanted);
        for piece in answer.chunks(piece) {
            reading.take(&Bytes::copy_from_slice(piece))?;
        }
        Ok(reading.end())
    }

    #[test]
    fn a_text_is_found_wherever_pieces_end() {
        let needle = "status: healthy";
        for at in [0, 1, WINDOW_BYTES - 7, WINDOW_BYTES, 3 * WINDOW_BYTES - 1] {
            let mut answer = vec![b's'; 4 * WINDOW_BYTES];
            answer[at..at + needle.len()].copy_from_slice(needle.as_bytes());
            for piece in [1, 7, WINDOW_BYTES, 5 * WINDOW_BYTES] {
                let wanted = |text| Wanted {
                    most: 1 << 20,
                    text: Some(text),
                    keep: true,
                };
                let read = read_in_pieces(&answer, piece, wanted(needle)).unwrap();
                assert!(read.has_text, "{at} {piece}");
                assert_eq!(read.bytes, answer.len() as u64);
                assert_eq!(read.begin, answer[..KEPT_BYTES_MAX]);
                let read = read_in_pieces(&answer, piece, wanted("healthz")).unwrap();
                assert!(!read.has_text, "{at} {piece}");
            }
        }
    }

    #[test]
    fn one_byte_more_than_allowed_is_too_much() {
        let wanted = Wanted {
            most: 10,
            text: None,
            keep: false,
        };
        let read = read_in_pieces(&[0; 10], 3, wanted).unwrap();
        assert!(read.has_text && read.begin.is_empty() && read.bytes == 10);
        assert!(matches!(
            read_in_pieces(&[0; 11], 3, wanted),
            Err(Failure::TooLong(10))
        ));
    }
}
