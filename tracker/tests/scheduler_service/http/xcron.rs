//! The endpoints of xcron: what its document says is what is answered, and every way to be refused has its code.

mod anything;
mod client;
mod codes;
mod seed;
mod surface;
mod tokens;
