//! What must hold against any API server: the same body for the model and for a real cluster.
//!
//! The real one is that of the kubeconfig in `DETECTVIZ_TEST_KUBECONFIG`, whose user may create and remove namespaces.
use super::{
    client::client,
    support::{Dir, changed, reference, text},
};
use detectviz_core::{
    secret::{SecretErrorKind, SecretsProvider},
    task::Tasks,
};
use detectviz_secrets::{
    keeper::{CacheConfig, Keeper},
    kubernetes::KubernetesConfig,
    store::Store,
};
use detectviz_tests::{BOUND, kubernetes::Cluster};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::{
    Api,
    api::{DeleteParams, PostParams},
};
use serde_json::{Value, json};
use std::path::Path;

fn object<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("an object")
}

async fn a_secret_is_read_and_followed_through_all_its_life(kubeconfig: &Path, admin: &str) {
    let kube = client(admin).await.expect("the kubeconfig is right");
    let namespaces: Api<Namespace> = Api::all(kube.clone());
    let namespace = format!("detectviz-test-{:08x}", fastrand::u32(..));
    let created = object(json!({"metadata": {"name": namespace}}));
    namespaces
        .create(&PostParams::default(), &created)
        .await
        .expect("a namespace");
    let secrets: Api<Secret> = Api::namespaced(kube, &namespace);
    let put = |data: Value| {
        let secrets = secrets.clone();
        async move {
            let mut wanted = json!({"metadata": {"name": "db"}});
            wanted["stringData"] = data;
            let wanted: Secret = object(wanted);
            let there = secrets.get_opt("db").await.expect("an answer").is_some();
            let stored = if there {
                secrets.replace("db", &PostParams::default(), &wanted).await
            } else {
                secrets.create(&PostParams::default(), &wanted).await
            };
            stored.expect("it is stored").metadata.resource_version
        }
    };
    let tasks = Tasks::new();
    let config = KubernetesConfig::default()
        .kubeconfig(kubeconfig)
        .namespace(&namespace);
    let build = || {
        config
            .clone()
            .build(|_| None, &tasks)
            .expect("a kubeconfig")
    };
    let store = build();
    let keeper = Keeper::new(build(), CacheConfig::default(), &tasks);

    assert!(store.check().await.is_ok());
    let absent = store
        .fetch(&reference("db"))
        .await
        .expect_err("it is not there");
    assert_eq!(absent.kind(), SecretErrorKind::NotFound, "{absent}");
    let version = put(json!({"user": "app", "password": "one"})).await;
    let fetched = store.fetch(&reference("db")).await.expect("it is there");
    assert_eq!(fetched.label, version);
    assert_eq!(fetched.fields.len(), 2);
    let elsewhere = store.fetch(&reference(&format!("{namespace}/db"))).await;
    assert_eq!(elsewhere.expect("it is there").label, version);

    let mut watch = keeper
        .watch(&reference("db#password"))
        .await
        .expect("it is there");
    assert_eq!(text(&watch.latest(), "password"), "one");
    put(json!({"user": "app", "password": "two"})).await;
    assert_eq!(text(&changed(&mut watch).await, "password"), "two");
    secrets
        .delete("db", &DeleteParams::default())
        .await
        .expect("it is deleted");
    put(json!({"user": "app", "password": "three"})).await;
    assert_eq!(text(&changed(&mut watch).await, "password"), "three");

    let bytes = json!({"metadata": {"name": "bytes"}, "data": {"key": "AP+A"}, "immutable": true});
    secrets
        .create(&PostParams::default(), &object(bytes))
        .await
        .expect("it is stored");
    let fetched = store.fetch(&reference("bytes")).await.expect("it is there");
    assert_eq!(fetched.fields["key"].expose(), [0, 255, 128]);
    let empty = json!({"metadata": {"name": "empty"}});
    secrets
        .create(&PostParams::default(), &object(empty))
        .await
        .expect("it is stored");
    let empty = store
        .fetch(&reference("empty"))
        .await
        .expect_err("it is empty");
    assert_eq!(empty.kind(), SecretErrorKind::Empty, "{empty}");

    keeper.close().await;
    store.close().await;
    tasks.cancel();
    assert!(
        tasks.join(BOUND).await.is_ok(),
        "no watch and no connection is left"
    );
    namespaces
        .delete(&namespace, &DeleteParams::default())
        .await
        .expect("it is removed");
}

#[tokio::test]
async fn against_the_model() {
    let cluster = Cluster::start();
    let kubeconfig = cluster.kubeconfig(&cluster.admin());
    let dir = Dir::new();
    let path = dir.write("kubeconfig", &kubeconfig);
    a_secret_is_read_and_followed_through_all_its_life(&path, &kubeconfig).await;
}

#[tokio::test]
async fn against_a_real_cluster_where_one_is_named() {
    #[expect(clippy::disallowed_methods, reason = "the switch of this test")]
    let Some(path) = std::env::var_os("DETECTVIZ_TEST_KUBECONFIG") else {
        return;
    };
    let path = Path::new(&path);
    #[expect(
        clippy::disallowed_methods,
        reason = "the kubeconfig of the real cluster"
    )]
    let text = std::fs::read_to_string(path).expect("the kubeconfig is readable");
    a_secret_is_read_and_followed_through_all_its_life(path, &text).await;
}
