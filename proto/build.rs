//! Compiles the protos with a compiler written in Rust, so that no system `protoc` is needed.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = [
        "tickwheel/v1/job.proto",
        "tickwheel/v1/scheduler.proto",
        "tickwheel/v1/worker.proto",
    ];
    let descriptors = protox::compile(files, ["."])?;
    tonic_prost_build::configure()
        .bytes(".")
        .compile_fds(descriptors)?;
    println!("cargo:rerun-if-changed=tickwheel");
    Ok(())
}
