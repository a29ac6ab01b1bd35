//! The promises, one file each, with real processes and a real Redis.
//!
//! One program: its parts are compiled and linked once.

mod backup;
mod bad_input;
mod consent;
mod crash_points;
mod delayed;
mod foreign_reports;
mod fresh_start;
mod invariants_bite;
mod life_of_a_job;
mod map_reduce;
mod misfire;
mod models;
mod one_program;
mod overlap;
mod redis_cluster;
mod redis_emptied;
mod redis_failover;
mod redis_restart;
mod redis_settings;
mod redis_tls;
mod retries;
mod routing;
mod store_check;
mod time_limits;
mod tracker_loss;
mod triggers_by_calendar;
mod triggers_by_events;
mod waiting;
mod wake_messages;
mod worker_loss;
mod wrong_types;
mod xcron;
