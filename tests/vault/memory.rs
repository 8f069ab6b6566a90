//! How many copies of a replaced secret are left in the memory of a process that read it, over plain HTTP and over TLS.
//!
//! Vault runs in this process, and the store in a child that knows what to look for in a masked form only.
use crate::{
    support::{Directory, Fixture, build, reference, userpass},
    tls::Authority,
};
use detectviz_core::{secret::SecretsProvider, task::Tasks};
use detectviz_secrets::{
    keeper::{CacheConfig, Keeper},
    vault::{VaultConfig, VaultTlsConfig},
};
use detectviz_tests::{
    memory::{Masked, count},
    vault::{TlsOptions, VaultOptions},
};
use serde_json::json;
use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::Duration,
};

const ADDRESS: &str = "DETECTVIZ_TEST_CHILD_ADDRESS";
const AUTHORITY: &str = "DETECTVIZ_TEST_CHILD_AUTHORITY";
const WANTED: &str = "DETECTVIZ_TEST_CHILD_WANTED";

/// What may be left in buffers of hyper and rustls over TLS; measured, and one more.
const LEFT_TO_THIRD_PARTIES: usize = 4;

#[tokio::test]
async fn the_child() {
    #[expect(
        clippy::disallowed_methods,
        reason = "how the parent tells the child what to do"
    )]
    let [address, authority, wanted] =
        [ADDRESS, AUTHORITY, WANTED].map(|name| std::env::var(name).ok());
    let (Some(address), Some(authority), Some(wanted)) = (address, authority, wanted) else {
        return;
    };
    let wanted: Masked = wanted.parse().expect("hex");
    let mut config = VaultConfig::default()
        .enabled(true)
        .addresses([address])
        .auth(userpass());
    if !authority.is_empty() {
        config = config.tls(VaultTlsConfig::default().ca_file(authority));
    }
    let tasks = Tasks::new();
    let cache = CacheConfig::default().refresh(Duration::from_millis(200), Duration::ZERO);
    let keeper = Keeper::new(build(config, &tasks), cache, &tasks);
    let mut watch = keeper
        .watch(&reference("kv/orders"))
        .await
        .expect("it may be read");
    println!("\ncopies {}", count(&wanted));
    drop(watch.changed().await);
    println!("\ncopies {}", count(&wanted));
}

/// Copies while the secret is held, and after it was replaced.
async fn copies(fixture: &Fixture, authority: &str) -> (usize, usize) {
    let value: String = (0..40).map(|_| fastrand::alphanumeric()).collect();
    let put = |value: &str| json!({ "data": { "password": value } });
    fixture.write("kv/data/orders", put(&value)).await;
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "memory::the_child", "--nocapture"])
        .env(ADDRESS, fixture.server.address())
        .env(AUTHORITY, authority)
        .env(WANTED, Masked::new(value.as_bytes()).to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let printed = child.stdout.take().expect("it is piped");
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let reading = Tasks::new().spawn_blocking("child", move || {
        for line in BufReader::new(printed).lines().map_while(Result::ok) {
            if let Some(number) = line.strip_prefix("copies ") {
                let _ = tell.send(number.parse().expect("a number"));
            }
        }
    });
    let held: usize = told.recv().await.expect("it looks");
    fixture.write("kv/data/orders", put("another")).await;
    let replaced = told.recv().await.expect("it looks again");
    reading.await.expect("it ends");
    assert!(child.wait().expect("it ends").success());
    (held, replaced)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_secret_leaves_no_copy_over_plain_http() {
    let (held, replaced) = copies(&Fixture::new().await, "").await;
    println!("copies while it is held and after it was replaced: {held}, {replaced}");
    assert!(held >= 1, "what is held is found");
    assert_eq!(replaced, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_secret_leaves_over_tls_only_what_third_parties_keep() {
    let (authority, dir) = (Authority::new(), Directory::new("vault-memory"));
    let signed = authority.sign("127.0.0.1", false);
    let tls = TlsOptions::new(signed.cert, signed.key);
    let fixture = Fixture::with(VaultOptions::default().tls(tls)).await;
    let file = dir.write("authority.pem", &authority.pem());
    let (held, replaced) = copies(&fixture, file.to_str().expect("a path")).await;
    println!("copies while it is held and after it was replaced: {held}, {replaced}");
    assert!(held >= 1, "what is held is found");
    assert!(replaced <= LEFT_TO_THIRD_PARTIES, "{replaced}");
}
