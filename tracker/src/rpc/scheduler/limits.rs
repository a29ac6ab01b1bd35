//! Limits of groups: given, listed with what is used of them, taken away.

use tickwheel_core::id::GroupName;
use tickwheel_core::limits::{GroupLimits, LimitName};
use tickwheel_proto::v1;

use super::call::Call;
use super::given::named;
use crate::error::Error;
use crate::rpc::api::ApiContext;

/// Gives a group its limits; without any it has none.
pub(super) async fn set(
    api: &ApiContext,
    request: v1::GroupLimits,
) -> Result<v1::GroupLimits, Error> {
    let group = GroupName::new(&request.group).map_err(|wrong| named("group", wrong))?;
    let limits = GroupLimits::try_from(request)?;
    api.store.define_limits(&group, &limits).await?;
    api.limits.read().await;
    Ok(v1::GroupLimits {
        group: group.to_string(),
        ..v1::GroupLimits::from(&limits)
    })
}

/// All groups with limits, and how much of them is used.
pub(super) async fn list(
    call: &Call<'_>,
    _request: v1::ListLimitsRequest,
) -> Result<v1::ListLimitsResponse, Error> {
    let mut groups = Vec::new();
    let listed = call.store.list_limits().await?;
    let (mut defined, unreadable) = (listed.groups, listed.unreadable);
    let in_sight = &call.caller.sight().groups;
    defined.retain(|(group, _)| in_sight.matches(group.as_str()));
    let names: Vec<LimitName> = defined
        .iter()
        .map(|(group, _)| LimitName {
            group: group.clone(),
            key: None,
        })
        .collect();
    let states = call.store.limit_states(&names).await?;
    for ((group, limits), state) in defined.into_iter().zip(states) {
        groups.push(v1::GroupLimits {
            group: group.to_string(),
            running: state.running,
            waiting: state.waiting,
            ..v1::GroupLimits::from(&limits)
        });
    }
    Ok(v1::ListLimitsResponse { groups, unreadable })
}
