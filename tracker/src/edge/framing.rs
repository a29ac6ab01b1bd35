//! Where in a body of gRPC its messages begin and end: each has five bytes before it, whether it is compressed and its length.

use tickwheel_core::error::Violation;

const PREFIX: usize = 5;

/// Why a body is refused.
#[derive(Debug)]
pub(super) enum Broken {
    /// A message is longer than its service allows.
    Long(Violation),
    /// It is no body of gRPC.
    Malformed(Violation),
}

impl From<Broken> for Violation {
    fn from(broken: Broken) -> Self {
        let (Broken::Long(violation) | Broken::Malformed(violation)) = broken;
        violation
    }
}

/// The messages of one request, followed byte by byte.
#[derive(Debug)]
pub(super) struct Framing {
    /// Bytes of one message.
    most: usize,
    /// Whether there is one message only.
    single: bool,
    prefix: [u8; PREFIX],
    have: usize,
    /// Of the message that is coming in.
    left: usize,
    begun: u64,
}

impl Framing {
    pub(super) fn new(most: usize, single: bool) -> Self {
        Self {
            most,
            single,
            prefix: [0; PREFIX],
            have: 0,
            left: 0,
            begun: 0,
        }
    }

    /// Takes what arrived. Answers with the bytes of a message that begins in it, if one does; of several, the last one's.
    pub(super) fn take(&mut self, mut bytes: &[u8]) -> Result<Option<usize>, Broken> {
        let mut begins = None;
        while !bytes.is_empty() {
            if self.left > 0 {
                let passed = self.left.min(bytes.len());
                self.left -= passed;
                bytes = bytes.get(passed..).unwrap_or_default();
                continue;
            }
            let Some((first, rest)) = bytes.split_first() else {
                break;
            };
            bytes = rest;
            if let Some(slot) = self.prefix.get_mut(self.have) {
                *slot = *first;
            }
            self.have += 1;
            if self.have == PREFIX {
                self.have = 0;
                let bytes = self.begin()?;
                begins = Some(bytes);
            }
        }
        Ok(begins)
    }

    fn begin(&mut self) -> Result<usize, Broken> {
        let [compressed, length @ ..] = self.prefix;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if compressed != 0 {
            let wrong = Violation::new("", "is not compressed", "a compressed message");
            return Err(Broken::Malformed(wrong));
        }
        if length > self.most {
            let rule = format!("has at most {} bytes", self.most);
            let wrong = Violation::new("", rule, format_args!("{length} bytes"));
            return Err(Broken::Long(wrong));
        }
        self.begun += 1;
        if self.single && self.begun > 1 {
            let wrong = Violation::new("", "is one message", "more");
            return Err(Broken::Malformed(wrong));
        }
        self.left = length;
        Ok(length)
    }

    /// The body has ended.
    pub(super) fn end(&self) -> Result<(), Violation> {
        if self.left > 0 || self.have > 0 {
            return Err(Violation::new("", "is whole", "the beginning of a message"));
        }
        if self.single && self.begun == 0 {
            return Err(Violation::new("", "is one message", "none"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(length: usize) -> Vec<u8> {
        let mut bytes = vec![0];
        bytes.extend(u32::try_from(length).unwrap().to_be_bytes());
        bytes.resize(PREFIX + length, b'x');
        bytes
    }

    #[test]
    fn messages_are_found_however_they_are_cut() {
        for cut in 1..20 {
            let mut framing = Framing::new(100, false);
            let bytes = [message(7), message(0), message(100)].concat();
            let mut found = Vec::new();
            for piece in bytes.chunks(cut) {
                found.extend(framing.take(piece).unwrap());
            }
            assert_eq!(found.last(), Some(&100), "{cut}");
            framing.end().unwrap();
        }
    }

    #[test]
    fn what_is_too_long_compressed_cut_or_one_too_many_is_refused() {
        let rule =
            |result: Result<Option<usize>, Broken>| Violation::from(result.unwrap_err()).rule;
        let one = || Framing::new(100, true);
        assert_eq!(rule(one().take(&message(101))), "has at most 100 bytes");
        assert_eq!(rule(one().take(&[1, 0, 0, 0, 1])), "is not compressed");
        assert_eq!(rule(one().take(&message(3).repeat(2))), "is one message");
        assert_eq!(one().end().unwrap_err().given, "none");
        let mut cut = one();
        cut.take(&message(3)[..7]).unwrap();
        assert_eq!(cut.end().unwrap_err().rule, "is whole");
        Framing::new(100, false).end().unwrap();
    }
}
