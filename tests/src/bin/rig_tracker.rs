//! A tracker for the end-to-end tests. Its argument is JSON; its first line of output says where it is reached.

fn main() -> anyhow::Result<()> {
    tickwheel_tests::harness::roles::tracker()
}
