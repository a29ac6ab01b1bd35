//! Whose a connection is: the process that holds the other end of a socket of this machine.

use std::net::SocketAddr;

/// The other end of an accepted connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer {
    /// Of its socket; `None` when the system does not say.
    inode: Option<u64>,
}

impl Peer {
    /// Of a connection from `from`, accepted at `at`.
    pub(super) fn of(from: SocketAddr, at: SocketAddr) -> Self {
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
        let inode = table
            .lines()
            .skip(1)
            .find_map(|line| inode_between(line, from.port(), at.port()));
        Self { inode }
    }

    /// True when process `pid` has the socket open.
    pub(super) fn is_of(&self, pid: u32) -> bool {
        let Some(inode) = self.inode else {
            return false;
        };
        let wanted = format!("socket:[{inode}]");
        let Ok(open) = std::fs::read_dir(format!("/proc/{pid}/fd")) else {
            return false;
        };
        open.flatten().any(|entry| {
            std::fs::read_link(entry.path()).is_ok_and(|link| link.as_os_str() == wanted.as_str())
        })
    }
}

/// The inode of a line of the table of sockets, when it is the one from port `from` to port `to`.
fn inode_between(line: &str, from: u16, to: u16) -> Option<u64> {
    let mut fields = line.split_whitespace().skip(1);
    let port = |address: &str| u16::from_str_radix(address.rsplit(':').next()?, 16).ok();
    (port(fields.next()?)? == from && port(fields.next()?)? == to).then_some(())?;
    fields.nth(6)?.parse().ok()
}
