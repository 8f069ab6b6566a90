//! The programs under the gates, in release mode.
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The built program `name`: `conformance`, or one of the benches' own. The first call builds all of them.
pub(crate) fn program(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(build).join(name)
}

fn build() -> PathBuf {
    let built = cargo(&["build", "--quiet", "--release", "--bins"])
        .args(["-p", "conformance", "-p", "detectviz-benches"])
        .status();
    assert!(
        built.expect("cargo runs").success(),
        "the programs are built"
    );
    let metadata = cargo(&["metadata", "--no-deps", "--format-version", "1"]).output();
    let metadata = metadata.expect("cargo runs").stdout;
    let metadata: Value = serde_json::from_slice(&metadata).expect("cargo prints JSON");
    let target = metadata["target_directory"].as_str();
    Path::new(target.expect("a target directory")).join("release")
}

fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    cargo
        .args(arguments)
        .current_dir(root.expect("tests/ has a parent"));
    cargo
}
