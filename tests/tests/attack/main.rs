//! Hostile and broken clients beside innocent ones: one tracker, one honest worker, a steady stream of contexts, and an attack.
//!
//! Each case holds the innocents' lateness, the tracker's memory and its log against what they were before, and `store check` afterwards.
//! The attackers are clients of their own, bounded in number and time, on the loopback.
//! `TICKWHEEL_ATTACK_FLOOR_MS` says below which lateness nothing is compared: an attacker takes a core of the machine as well.

mod floods;
mod frames;
mod growth;
mod http;
mod raw;
mod reports;
mod scene;
mod workers;
