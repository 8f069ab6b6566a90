//! The model is what it says, as kube's own client and watcher see it.
use super::client::client;
use detectviz_tests::{
    BOUND,
    kubernetes::{Cluster, Rule},
};
use futures_util::{Stream, StreamExt};
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{
    Api, Client, Error, ResourceExt,
    api::{DeleteParams, ListParams, ObjectMeta, PostParams},
    runtime::watcher::{self, Event, watcher},
};
use std::collections::BTreeMap;

fn secret(name: &str, password: &str) -> Secret {
    Secret {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        },
        string_data: Some(BTreeMap::from([(
            "password".to_owned(),
            password.to_owned(),
        )])),
        ..Secret::default()
    }
}

async fn kube(cluster: &Cluster, token: &str) -> Client {
    client(&cluster.kubeconfig(token))
        .await
        .expect("a kubeconfig")
}

fn code(err: &Error) -> u16 {
    match err {
        Error::Api(status) => status.code,
        other => panic!("no answer of the server: {other}"),
    }
}

/// What a watcher says next, in short.
async fn next(events: &mut (impl Stream<Item = watcher::Result<Event<Secret>>> + Unpin)) -> String {
    let event = tokio::time::timeout(BOUND, events.next()).await;
    match event
        .expect("an event in time")
        .expect("a watcher does not end")
    {
        Ok(Event::Init) => "init".to_owned(),
        Ok(Event::InitApply(object)) => format!("there {}", object.name_any()),
        Ok(Event::InitDone) => "all there".to_owned(),
        Ok(Event::Apply(object)) => {
            let data = object.data.unwrap_or_default();
            let password = data
                .get("password")
                .map(|p| p.0.clone())
                .unwrap_or_default();
            format!("now {}", String::from_utf8_lossy(&password))
        }
        Ok(Event::Delete(object)) => format!("deleted {}", object.name_any()),
        Err(watcher::Error::WatchError(status)) => format!("error {}", status.code),
        Err(err) => format!("error {err}"),
    }
}

#[tokio::test]
async fn objects_are_created_replaced_and_deleted_as_kubernetes_does_it() {
    let cluster = Cluster::start();
    let client = kube(&cluster, &cluster.admin()).await;
    let secrets: Api<Secret> = Api::namespaced(client, "default");
    let created = secrets
        .create(&PostParams::default(), &secret("db", "one"))
        .await
        .unwrap();
    assert_eq!(created.string_data, None, "stringData is never returned");
    let password = || ByteString(b"one".to_vec());
    assert_eq!(
        created.data,
        Some(BTreeMap::from([("password".to_owned(), password())]))
    );
    assert_eq!(created.type_.as_deref(), Some("Opaque"));

    let again = secrets
        .create(&PostParams::default(), &secret("db", "two"))
        .await;
    assert_eq!(code(&again.unwrap_err()), 409);
    let mut next = created.clone();
    next.immutable = Some(true);
    let next = secrets
        .replace("db", &PostParams::default(), &next)
        .await
        .unwrap();
    assert_ne!(next.resource_version(), created.resource_version());
    assert_eq!(next.uid(), created.uid());
    let old = secrets
        .replace("db", &PostParams::default(), &created)
        .await;
    assert_eq!(
        code(&old.unwrap_err()),
        409,
        "another version than was read"
    );
    let mut changed = next.clone();
    changed.data = Some(BTreeMap::new());
    let immutable = secrets
        .replace("db", &PostParams::default(), &changed)
        .await;
    assert_eq!(code(&immutable.unwrap_err()), 422);

    let list = secrets
        .list(&ListParams::default().fields("metadata.name=db"))
        .await
        .unwrap();
    assert_eq!(
        (list.items.len(), list.metadata.resource_version),
        (1, next.resource_version())
    );
    let other = secrets
        .list(&ListParams::default().fields("metadata.name=other"))
        .await
        .unwrap();
    assert!(other.items.is_empty());
    let meta = secrets.get_metadata("db").await.unwrap();
    assert_eq!(meta.resource_version(), next.resource_version());
    secrets
        .delete("db", &DeleteParams::default())
        .await
        .unwrap();
    assert_eq!(code(&secrets.get("db").await.unwrap_err()), 404);
    let recreated = secrets
        .create(&PostParams::default(), &secret("db", "one"))
        .await
        .unwrap();
    assert_ne!(recreated.uid(), created.uid());
}

#[tokio::test]
async fn a_watch_tells_every_change_and_the_past_is_forgotten_when_it_is_compacted() {
    let cluster = Cluster::start();
    cluster.put("default", "db", &[("password", b"one")]);
    let client = kube(&cluster, &cluster.admin()).await;
    let config = watcher::Config::default().fields("metadata.name=db");
    let mut events = Box::pin(watcher(
        Api::<Secret>::namespaced(client, "default"),
        config,
    ));
    for expected in ["init", "there db", "all there"] {
        assert_eq!(next(&mut events).await, expected);
    }
    cluster.put("default", "other", &[("password", b"not ours")]);
    cluster.put("default", "db", &[("password", b"two")]);
    assert_eq!(next(&mut events).await, "now two");
    // The watcher watches on from the bookmark, so that nothing is told twice.
    cluster.bookmark();
    cluster.delete("default", "db");
    assert_eq!(next(&mut events).await, "deleted db");
    cluster.end_watches();
    cluster.put("default", "db", &[("password", b"three")]);
    assert_eq!(next(&mut events).await, "now three");
    cluster.compact();
    for expected in ["error 410", "init", "there db", "all there"] {
        assert_eq!(next(&mut events).await, expected);
    }
}

#[tokio::test]
async fn a_role_with_names_lets_list_and_watch_only_with_the_field_selector() {
    let cluster = Cluster::start();
    cluster.put("shop", "db", &[("password", b"one")]);
    let rule = Rule::new("shop", &["get", "list", "watch"], &["db"]);
    let token = cluster.account("shop", "orders", &[rule]);
    let client = kube(&cluster, &token).await;
    let secrets: Api<Secret> = Api::namespaced(client.clone(), "shop");
    assert!(secrets.get("db").await.is_ok());
    assert!(
        secrets
            .list(&ListParams::default().fields("metadata.name=db"))
            .await
            .is_ok()
    );
    for refused in [
        secrets.get("other").await.map(drop),
        secrets.list(&ListParams::default()).await.map(drop),
        secrets
            .list(&ListParams::default().fields("metadata.name=other"))
            .await
            .map(drop),
        secrets
            .delete("db", &DeleteParams::default())
            .await
            .map(drop),
        Api::<Secret>::namespaced(client, "other")
            .get("db")
            .await
            .map(drop),
    ] {
        let err = refused.unwrap_err();
        assert_eq!(code(&err), 403);
        assert!(
            err.to_string()
                .contains("system:serviceaccount:shop:orders"),
            "{err}"
        );
    }
    cluster.expire(&token);
    assert_eq!(code(&secrets.get("db").await.unwrap_err()), 401);
}
