//! Each script on a real Redis, one file each, and what several of them do together.
//!
//! One program: its parts are compiled and linked once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod access;
mod access_sessions;
mod acl;
mod arguments;
mod attempts;
#[path = "../model/call.rs"]
mod call;
mod cancel;
mod check;
mod cluster;
mod cluster_hot;
mod cluster_moving;
mod context_append_log;
mod context_count;
mod context_ends;
mod context_get;
mod context_list;
mod context_retry;
mod context_tail;
mod damage;
mod dead;
mod delay_chain;
mod durability;
mod fan_ends;
mod fan_open;
mod fan_pages;
mod fan_placements;
mod fan_split;
mod fan_walk;
mod functions;
mod garbage;
mod garbage_numbers;
mod garbage_values;
mod group_pauses;
#[path = "../harness/lib.rs"]
mod harness;
mod headers;
mod headers_replies;
mod history;
mod inspect;
mod job_apply;
mod job_change;
mod job_delete;
mod job_follow;
mod job_get;
mod job_idle;
mod job_over;
mod job_plan;
mod job_set_state;
mod job_zones;
mod keyspace;
mod lease_cost;
mod lease_fate;
mod lease_foreign;
mod lease_reap;
mod lease_reclaim;
mod lease_release;
mod lease_renew;
mod lease_settle;
mod modules;
mod patterns;
mod placement_sweep;
mod race;
mod repair;
mod roster;
mod tracker_census;
mod tracker_epoch;
mod wake_channels;
mod wheel_bytes;
mod wheel_cost;
mod wheel_crowd;
mod wheel_deadline;
mod wheel_delivered;
mod wheel_fair;
mod wheel_fire;
mod wheel_firing;
mod wheel_gauge;
mod wheel_histogram;
mod wheel_limits;
mod wheel_look;
mod wheel_malformed;
mod wheel_misfire;
mod wheel_overlap;
mod wheel_placements;
mod wheel_replace;
mod wheel_submit;
mod wheel_together;
mod wheel_turn;
mod wheel_unread;
mod wheel_upcoming;
mod wheel_wrong_type;
