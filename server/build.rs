//! The site is built by `cargo run -p xtask -- site` and embedded from its folder, which must be
//! there for the server to compile, if only empty.

fn main() -> std::io::Result<()> {
    std::fs::create_dir_all("../target/site/pkg")?;
    println!("cargo::rerun-if-changed=../target/site");
    Ok(())
}
