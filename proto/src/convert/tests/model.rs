//! How a job is split.

use tickwheel_core::model::{
    Allocation, Broadcast, Indexed, Model, ReduceOn, ShardItem, Sharding, Success,
};

use super::*;

fn models() -> impl Strategy<Value = Model> {
    let items =
        (any::<u32>(), ".{0,20}").prop_map(|(index, parameter)| ShardItem { index, parameter });
    let sharding = (
        proptest::collection::vec(items, 0..5),
        proptest::sample::select(Allocation::ALL.to_vec()),
    );
    let success = (
        proptest::collection::vec(any::<u64>(), 0..5),
        any::<Option<u64>>(),
    )
        .prop_map(|(indexes, count)| Success { indexes, count });
    let indexed = (
        any::<u64>(),
        any::<u32>(),
        any::<Option<u64>>(),
        option::of(success),
    );
    prop_oneof![
        Just(Model::Standalone),
        any::<Option<u32>>().prop_map(|quorum| Model::Broadcast(Broadcast { quorum })),
        sharding.prop_map(|(items, allocation)| Model::Sharding(Sharding { items, allocation })),
        indexed.prop_map(|(completions, parallelism, max_failed, success)| {
            Model::Indexed(Indexed {
                completions,
                parallelism,
                max_failed,
                success,
            })
        }),
    ]
}

/// How a job is split.
pub(super) fn fans() -> impl Strategy<Value = (Model, Option<HandlerName>, ReduceOn, ContextOptions)>
{
    let reduce =
        option::of("[a-z]{1,8}").prop_map(|name| name.map(|n| HandlerName::new(n).unwrap()));
    let reduce_on = proptest::sample::select(ReduceOn::ALL.to_vec());
    (models(), reduce, reduce_on, options())
}

#[test]
fn mistakes_of_a_model_are_named_once() {
    let sharding = v1::model::Sharding {
        items: Vec::new(),
        allocation: 9,
    };
    let wire = v1::JobSpec {
        name: "a".to_owned(),
        handler: "b".to_owned(),
        trigger: Some((&Trigger::Manual).into()),
        model: Some(v1::Model {
            kind: Some(v1::model::Kind::Sharding(sharding)),
        }),
        reduce: "no spaces".to_owned(),
        reduce_on: 7,
        subtask: Some(v1::ContextOptions {
            priority: Some(5),
            ..Default::default()
        }),
        ..Default::default()
    };
    let expected = [
        "model.sharding.allocation",
        "reduce",
        "reduce_on",
        "subtask.priority",
    ];
    let violations = JobSpec::try_from(wire.clone()).unwrap_err();
    assert_eq!(fields(&violations), expected);

    // What can be read is left to the check of core, whatever it is.
    let alone = v1::JobSpec {
        model: None,
        reduce: "sum".to_owned(),
        reduce_on: v1::ReduceOn::Succeeded.into(),
        subtask: None,
        ..wire
    };
    let spec = JobSpec::try_from(alone).unwrap();
    assert_eq!(fields(&spec.check().unwrap_err()), ["reduce"]);
}
