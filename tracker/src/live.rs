//! What is going on, for those who watch it: how the cluster is, in numbers.

mod overview;

pub(crate) use overview::Overviews;
