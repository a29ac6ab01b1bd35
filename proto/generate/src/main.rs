//! Writes the generated code of the wire: `make proto`.

fn main() -> anyhow::Result<()> {
    tickwheel_proto_generate::write()
}
