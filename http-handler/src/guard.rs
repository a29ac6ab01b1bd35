//! Which URLs and addresses a call may go to, so that whoever submits one reaches no more through the worker than from outside.
//!
//! Pure: it neither resolves nor connects. [`Guard::admit`] judges a URL, before anything is done and at each redirect; [`Guard::vet`] the
//! addresses that its name was resolved to, and the connection is made to one of these and to nothing else: a second look-up that answers
//! otherwise is never made.

mod block;
mod class;
mod entries;
mod refusal;
mod target;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

pub use class::Class;
pub use entries::{Entries, Ports};
pub use refusal::Refusal;
pub(crate) use target::Place;
pub use target::Target;

/// What a worker may call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guard {
    /// May be called although they are not public. A metadata service is only by an entry of its own address.
    pub allow: Entries,
    /// Are never called, whatever is allowed.
    pub deny: Entries,
    /// May be called, on every host.
    pub ports: Ports,
}

impl Guard {
    /// Whether a call may go there, as far as its URL tells.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn admit(&self, target: &Target) -> Result<(), Refusal> {
        if !self.ports.have(target.port()) {
            return Err(Refusal::Port(target.port()));
        }
        match target.place() {
            Place::Address(address) => self.vet(target, &[*address]),
            Place::Name(name) if self.deny.name(name) => Err(Refusal::Denied),
            Place::Name(_) => Ok(()),
        }
    }

    /// Whether a call may go to what its host was resolved to. One wrong address refuses them all: a name that stands for both a public
    /// and a private one is made to get past a guard.
    ///
    /// # Errors
    /// The rule that an address breaks.
    pub fn vet(&self, target: &Target, addresses: &[IpAddr]) -> Result<(), Refusal> {
        let named = match target.place() {
            Place::Name(name) => self.allow.name(name),
            Place::Address(_) => false,
        };
        addresses
            .iter()
            .try_for_each(|address| self.vet_address(*address, named))
    }

    /// An address, and those that it is only another form of or a way to.
    fn vet_address(&self, address: IpAddr, named: bool) -> Result<(), Refusal> {
        let carried = class::carried_to(address).into_iter().map(IpAddr::V4);
        let meant: Vec<IpAddr> = std::iter::once(address).chain(carried).collect();
        if meant.iter().any(|address| self.deny.cover(*address)) {
            return Err(Refusal::Denied);
        }
        let refused = meant.into_iter().find_map(|address| {
            let class = class::class_of(address)?;
            let allowed = match class {
                Class::Metadata => self.allow.are_exactly(address),
                Class::Loopback
                | Class::Unspecified
                | Class::Private
                | Class::LinkLocal
                | Class::Shared
                | Class::Multicast
                | Class::Documentation
                | Class::Benchmarking
                | Class::EmbeddedIpv4
                | Class::Nat64
                | Class::Tunnel
                | Class::Reserved => named || self.allow.cover(address),
            };
            (!allowed).then_some(class)
        });
        refused.map_or(Ok(()), |class| Err(Refusal::Address(class)))
    }
}
