//! Who has no use for a cloud builds nothing of it.
use detectviz_tests::repository;
use std::process::Command;

/// The crates that a build of detectviz-secrets with `features` has.
fn crates(features: &str) -> Vec<String> {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--edges", "normal", "--prefix", "none"])
        .args(["--format", "{lib}", "-p", "detectviz-secrets"])
        .args(["--no-default-features", "--features", features])
        .current_dir(repository::root())
        .output()
        .expect("cargo runs");
    assert!(
        tree.status.success(),
        "{}",
        String::from_utf8_lossy(&tree.stderr)
    );
    let names = String::from_utf8_lossy(&tree.stdout);
    names.lines().map(str::to_owned).collect()
}

#[test]
fn a_build_without_clouds_compiles_nothing_of_them() {
    for features in ["", "vault", "kubernetes"] {
        let clouds = ["aws_", "google_cloud", "azure_"];
        let found = crates(features)
            .into_iter()
            .filter(|name| clouds.iter().any(|c| name.starts_with(c)));
        assert_eq!(found.collect::<Vec<_>>(), [""; 0], "{features}");
    }
    for features in ["gcp", "azure"] {
        let found = crates(features)
            .into_iter()
            .filter(|name| name.starts_with("aws_"));
        assert_eq!(found.collect::<Vec<_>>(), [""; 0], "{features}");
    }
    assert!(
        crates("aws")
            .iter()
            .any(|name| name == "aws_sdk_secretsmanager")
    );
}

#[test]
fn no_cloud_brings_a_second_cryptography() {
    let found = crates("aws,gcp,azure");
    assert!(found.iter().any(|name| name == "ring"));
    for foreign in ["aws_lc_rs", "openssl", "native_tls", "reqwest"] {
        assert!(!found.iter().any(|name| name == foreign), "{foreign}");
    }
}
