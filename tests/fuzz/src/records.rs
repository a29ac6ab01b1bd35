//! Records as Redis has them: whoever can write there may write anything.

use bytes::Bytes;
use tickwheel_store::record::{Dead, Held, Member, Settled};

/// What stands in records between words.
const MARKS: &[u8] = b"0123456789abcdef :=,;!@#%&+-_./\n\t\r";

/// Nearly a record: words and numbers with what stands between them.
fn nearly(bytes: &[u8]) -> Bytes {
    let mut text = b"0.1767225600000.h4erg-00000g@a/b ".to_vec();
    for byte in bytes {
        match byte {
            0..64 => text.extend(MARKS.get(usize::from(*byte) % MARKS.len())),
            64..96 => text.extend(b" g=default h=noop"),
            96..128 => text.extend(b" 1767225600000 1"),
            _ => text.push(*byte),
        }
    }
    text.into()
}

pub(crate) fn records(bytes: &[u8]) {
    for text in [Bytes::copy_from_slice(bytes), nearly(bytes)] {
        // What is read takes no more room than its text allows.
        let most = 64 * (text.len() + 64);
        if let Ok(held) = Held::parse(text.clone()) {
            assert!(format!("{held:?}").len() < most);
        }
        if let Ok(member) = Member::parse(text.clone()) {
            assert!(format!("{member:?}").len() < most);
        }
        if let Ok(settled) = Settled::parse(&text) {
            assert!(format!("{settled:?}").len() < most);
        }
        if let Ok(dead) = Dead::parse(&text) {
            assert!(format!("{dead:?}").len() < most);
        }
    }
}
