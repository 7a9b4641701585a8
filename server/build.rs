//! The site is built by `cargo run -p xtask -- site` into a folder that must be there for the server to
//! compile, if only empty. A release embeds it; a debug build reads it there when it runs, so that
//! both can be built side by side and a new style needs no new server.

fn main() -> std::io::Result<()> {
    std::fs::create_dir_all("../target/site/pkg")?;
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("PROFILE").as_deref() == Ok("release") {
        println!("cargo::rerun-if-changed=../target/site");
    }
    Ok(())
}
