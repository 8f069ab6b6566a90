//! How many copies of a replaced secret are left in the memory of a process that fetched it.
//!
//! The API server runs in this process, and the store in a child that knows what to look for in a masked form only.
use super::support::{Dir, changed, reader, reference};
use detectviz_core::{secret::SecretsProvider, task::Tasks};
use detectviz_secrets::{
    keeper::{CacheConfig, Keeper},
    kubernetes::KubernetesConfig,
};
use detectviz_tests::{
    kubernetes::Cluster,
    memory::{Masked, count},
};
use k8s_openapi::ByteString;
use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

const KUBECONFIG: &str = "DETECTVIZ_TEST_CHILD_KUBECONFIG";
const RAW: &str = "DETECTVIZ_TEST_CHILD_RAW";
const ENCODED: &str = "DETECTVIZ_TEST_CHILD_ENCODED";

/// What a replaced value may leave in base64, in buffers of hyper, h2 and rustls; measured, and no more.
const LEFT_TO_THIRD_PARTIES: usize = 4;

/// Copies of the value, and of its base64.
fn look(raw: &Masked, encoded: &Masked) -> String {
    format!("copies {} {}", count(raw), count(encoded))
}

#[tokio::test]
async fn the_child() {
    #[expect(
        clippy::disallowed_methods,
        reason = "how the parent tells the child what to do"
    )]
    let [kubeconfig, raw, encoded] =
        [KUBECONFIG, RAW, ENCODED].map(|name| std::env::var(name).ok());
    let (Some(kubeconfig), Some(raw), Some(encoded)) = (kubeconfig, raw, encoded) else {
        return;
    };
    let (raw, encoded) = (raw.parse().expect("hex"), encoded.parse().expect("hex"));
    let tasks = Tasks::new();
    let config = KubernetesConfig::default()
        .kubeconfig(kubeconfig)
        .namespace("shop");
    let store = config.build(|_| None, &tasks).expect("a kubeconfig");
    let keeper = Keeper::new(store, CacheConfig::default(), &tasks);
    let mut watch = keeper
        .watch(&reference("db"))
        .await
        .expect("it may be read");
    println!("\n{}", look(&raw, &encoded));
    drop(changed(&mut watch).await);
    println!("\n{}", look(&raw, &encoded));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_secret_leaves_no_copy_that_is_ours() {
    let cluster = Cluster::start();
    let token = cluster.account("shop", "orders", &[reader()]);
    let value: String = (0..40).map(|_| fastrand::alphanumeric()).collect();
    cluster.put("shop", "db", &[("password", value.as_bytes())]);
    let encoded = serde_json::to_value(ByteString(value.clone().into_bytes())).expect("base64");
    // The end of base64 depends on what follows; all but that is looked for.
    let encoded = &encoded.as_str().expect("base64").as_bytes()[..52];
    let dir = Dir::new();
    let kubeconfig = dir.write("kubeconfig", &cluster.kubeconfig(&token));
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "memory::the_child", "--nocapture"])
        .env(KUBECONFIG, kubeconfig)
        .env(RAW, Masked::new(value.as_bytes()).to_string())
        .env(ENCODED, Masked::new(encoded).to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let printed = child.stdout.take().expect("it is piped");
    let copies = Tasks::new().spawn_blocking("child", move || {
        let mut found = Vec::new();
        for line in BufReader::new(printed).lines().map_while(Result::ok) {
            let mut words = line.split_whitespace();
            if words.next() == Some("copies") {
                let numbers: Vec<usize> =
                    words.map(|word| word.parse().expect("a number")).collect();
                found.push(numbers);
                // Whoever follows it is told.
                cluster.put("shop", "db", &[("password", b"another")]);
            }
        }
        found
    });
    let copies = copies.await.expect("it ends");
    assert!(child.wait().expect("it ends").success());
    println!(
        "copies of the value and of its base64, while it is held and after it was replaced: {copies:?}"
    );
    let [held, replaced] = &*copies else {
        panic!("it looks twice: {copies:?}");
    };
    assert!(held[0] >= 1, "the value itself is found");
    assert_eq!(replaced[0], 0, "nothing of ours is left");
    assert!(replaced[1] <= LEFT_TO_THIRD_PARTIES, "{replaced:?}");
}
