//! One call: what it works with, and who makes it.

use std::ops::Deref;

use tickwheel_core::access::Sight;

use crate::access::Caller;
use crate::rpc::api::ApiContext;

/// A call that was let in. Where it does not matter who calls, it is an [`ApiContext`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) api: &'a ApiContext,
    pub(crate) caller: &'a Caller,
}

impl Call<'_> {
    /// What the caller sees, unless that is everything.
    pub(crate) fn limited_sight(&self) -> Option<Sight> {
        let sight = self.caller.sight();
        (!sight.is_everything()).then(|| sight.clone())
    }
}

impl Deref for Call<'_> {
    type Target = ApiContext;

    fn deref(&self) -> &ApiContext {
        self.api
    }
}
