//! Who answers at an address, by the first bytes of the answer: a port that is mistaken for another one is named.

/// What to say first: a line that Redis answers, and that servers of HTTP refuse in their own way.
pub const PLAIN_GREETING: &[u8] = b"PING\r\n\r\n";

/// The beginning of a TLS handshake; whoever speaks TLS goes on with it, or refuses it in a record of TLS.
pub const TLS_GREETING: &[u8] = &[
    0x16, 0x03, 0x01, 0, 45, // a record: handshake, 45 bytes
    1, 0, 0, 41, 0x03, 0x03, // ClientHello of TLS 1.2, 41 bytes
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, // no session to resume
    0, 2, 0xc0, 0x2f, // one cipher
    1, 0, // no compression
];

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Peer {
    /// Redis, or Valkey, without TLS.
    Redis,
    /// Somebody who speaks TLS.
    Tls,
    /// A server of HTTP/1: the health and metrics of a tracker, say.
    Http,
    /// A server of HTTP/2: a tracker, say.
    Http2,
}

impl Peer {
    /// Whose answer begins with these bytes; `None` where it is none of ours.
    #[must_use]
    pub fn of(answer: &[u8]) -> Option<Self> {
        match answer {
            [b'+' | b'-', ..] => Some(Self::Redis),
            [0x15 | 0x16, 0x03, ..] => Some(Self::Tls),
            // SETTINGS or GOAWAY of the connection.
            [_, _, _, 4 | 7, _, 0, 0, 0, 0, ..] => Some(Self::Http2),
            _ if answer.starts_with(b"HTTP/") => Some(Self::Http),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_told_by_their_first_bytes() {
        for (answer, peer) in [
            (&b"+PONG\r\n"[..], Some(Peer::Redis)),
            (b"-NOAUTH Authentication required.\r\n", Some(Peer::Redis)),
            (b"HTTP/1.1 400 Bad Request\r\n", Some(Peer::Http)),
            (&[0x15, 3, 3, 0, 2, 2, 40], Some(Peer::Tls)),
            (&[0x16, 3, 3, 0, 90], Some(Peer::Tls)),
            (&[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3], Some(Peer::Http2)),
            (b"220 mail.example ESMTP\r\n", None),
            (b"", None),
        ] {
            assert_eq!(Peer::of(answer), peer, "{answer:?}");
        }
    }

    #[test]
    fn the_greeting_of_tls_says_its_lengths() {
        assert_eq!(TLS_GREETING.len(), 5 + 45);
        assert_eq!(TLS_GREETING.get(9..).map(<[u8]>::len), Some(41));
    }
}
