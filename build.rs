//! How the program is linked.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Packed relocations: 200 KiB less to read and to keep in memory at every start. glibc has them since 2.36; a linker
    // that doesn't know them says so and goes on.
    if std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|libc| libc == "gnu") {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}
