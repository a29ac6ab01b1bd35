//! From the name of a host to its addresses.

use std::io;
use std::net::IpAddr;

use futures_util::future::BoxFuture;

/// Who resolves names. It is asked once for each connection, and the connection is made to what it answered.
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of a host, which is a name in small letters and without a dot at its end.
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// As the system has it: its hosts file and its DNS.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            // The port is not looked up.
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}
