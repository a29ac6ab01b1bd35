//! A worker for the end-to-end tests. Its argument is JSON; its first line of output says its id.

fn main() -> anyhow::Result<()> {
    tickwheel_tests::harness::roles::worker()
}
