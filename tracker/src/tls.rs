//! TLS of both listeners: the certificate that is served, taken up anew when its files change (`serving`, `reload`), and streams whose
//! handshakes are made beside what turns (`stream`).

mod certificate;
mod reload;
mod serving;
mod stream;
#[cfg(test)]
mod tests;

pub(crate) use reload::Reload;
pub(crate) use serving::{Serving, Wire};
pub(crate) use stream::{Acceptor, Secured, ShownCertificate};
