//! What an operator reads when the API server does not answer as it should, and how the store comes back.
use super::support::{Dir, Pod, fetch, password, reader};
use detectviz_core::{
    error::BoxError,
    secret::{SecretError, SecretErrorKind},
    task::Tasks,
};
use detectviz_secrets::{kubernetes::KubernetesConfig, store::Store};
use detectviz_tests::kubernetes::{Cluster, Fault, Rule};
use std::{error::Error, net::TcpListener, time::Duration};

/// Everything that an error shows, with all its causes.
fn shown(err: &SecretError) -> String {
    let mut shown = format!("{err} {err:?}");
    let mut next = err.source();
    while let Some(cause) = next {
        shown.push_str(&format!(" {cause} {cause:?}"));
        next = cause.source();
    }
    shown
}

async fn refused(pod: &Pod, store: &impl Store) -> SecretError {
    let reference = super::support::reference("db");
    let err = store.fetch(&reference).await.expect_err("it is refused");
    assert!(!shown(&err).contains("canary"), "{}", shown(&err));
    assert!(!shown(&err).contains(&pod.token), "{}", shown(&err));
    err
}

#[tokio::test]
async fn s10_every_bad_answer_is_an_error_of_its_kind_that_shows_nothing_of_it() {
    use SecretErrorKind::{Malformed, Unavailable};
    let other = r#"{"kind":"Secret","metadata":{"name":"canary","namespace":"shop","resourceVersion":"1"}}"#;
    let bad = r#"{"kind":"Secret","metadata":{"name":"db","namespace":"shop","resourceVersion":"1"},"data":{"a":"canary!"}}"#;
    let cases = [
        (
            Fault::Status(500),
            Unavailable,
            "answered 500 (InternalError)",
        ),
        (
            Fault::Status(503),
            Unavailable,
            "answered 503 (ServiceUnavailable)",
        ),
        (Fault::Status(504), Unavailable, "answered 504 (Timeout)"),
        (Fault::Status(429), Unavailable, "it is overloaded"),
        (
            Fault::Page(404),
            Unavailable,
            "seems to be no Kubernetes API server",
        ),
        (
            Fault::Page(401),
            Unavailable,
            "seems to be no Kubernetes API server",
        ),
        (
            Fault::Page(403),
            Unavailable,
            "seems to be no Kubernetes API server",
        ),
        (
            Fault::Page(502),
            Unavailable,
            "seems to be no Kubernetes API server",
        ),
        (
            Fault::Page(302),
            Unavailable,
            "seems to be no Kubernetes API server",
        ),
        (
            Fault::Bytes("<html>canary</html>"),
            Malformed,
            "is not JSON",
        ),
        (Fault::Bytes(""), Malformed, "is not JSON"),
        (
            Fault::Bytes("{\"canary\": 1}"),
            Malformed,
            "is no Secret of `v1`",
        ),
        (
            Fault::Bytes("[\"canary\"]"),
            Malformed,
            "is no Secret of `v1`",
        ),
        (Fault::Bytes(other), Malformed, "is another object"),
        (Fault::Bytes(bad), Malformed, "is no Secret of `v1`"),
        (Fault::Endless, Malformed, "larger than"),
        (Fault::CutShort, Unavailable, "broke within the answer"),
    ];
    for protocols in [&["h2"], &["http/1.1"]] {
        let pod = Pod::of(Cluster::speaking(protocols));
        let store = pod.store();
        for (fault, kind, said) in cases.clone() {
            let case = format!("{fault:?} {protocols:?}");
            pod.cluster.fail("get", 1, fault);
            let err = refused(&pod, &store).await;
            assert_eq!(err.kind(), kind, "{case}: {err}");
            assert!(err.to_string().contains(said), "{case}: {err}");
            assert_eq!(
                password(&store).await,
                "hunter2",
                "{case}: the next one is right"
            );
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_late_is_an_error_in_time() {
    let pod = Pod::start();
    let store = pod.hasty(Duration::from_millis(300));
    pod.cluster.fail("get", 1, Fault::Hang);
    let err = refused(&pod, &store).await;
    assert_eq!(err.kind(), SecretErrorKind::Unavailable);
    assert!(
        err.to_string().contains("no whole answer of https://"),
        "{err}"
    );
}

#[tokio::test]
async fn a_connection_that_has_silently_gone_is_not_used_again() {
    let pod = Pod::start();
    let store = pod.hasty(Duration::from_millis(500));
    assert_eq!(password(&store).await, "hunter2");
    pod.cluster.freeze();
    let err = refused(&pod, &store).await;
    assert!(err.to_string().contains("no whole answer"), "{err}");
    assert_eq!(password(&store).await, "hunter2");
}

#[tokio::test]
async fn what_is_not_there_or_empty_or_elsewhere_is_told_apart() {
    let pod = Pod::start();
    pod.cluster
        .allow(&pod.token, &[Rule::new("shop", &["*"], &[])]);
    pod.cluster.put("shop", "empty", &[]);
    pod.cluster.put("shop", "blank", &[("password", b"")]);
    let store = pod.store();
    for (text, kind, said) in [
        (
            "absent",
            SecretErrorKind::NotFound,
            "create the Secret `absent` in the namespace `shop`",
        ),
        (
            "empty",
            SecretErrorKind::Empty,
            "write data to the Secret `empty`",
        ),
        (
            "blank",
            SecretErrorKind::Empty,
            "write data to the Secret `blank`",
        ),
        ("other/db", SecretErrorKind::Denied, "namespace: other"),
        (
            "db?version=1",
            SecretErrorKind::Malformed,
            "has no parameters",
        ),
    ] {
        let err = fetch(&store, text).await.expect_err(text);
        assert_eq!(err.kind(), kind, "{err}");
        assert!(err.to_string().contains(said), "{err}");
    }
}

#[tokio::test]
async fn without_permission_the_error_says_the_role_to_write() {
    let pod = Pod::start();
    pod.cluster.allow(&pod.token, &[]);
    let store = pod.store();
    let err = refused(&pod, &store).await;
    assert_eq!(err.kind(), SecretErrorKind::Denied);
    let expected = "${secret:k8s:db} may not be read: apply {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: \
        {namespace: shop, name: read-db}, rules: [{apiGroups: [\"\"], resources: [secrets], resourceNames: [db], verbs: [get, \
        list, watch]}]} and {apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {namespace: shop, name: \
        read-db}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: read-db}, subjects: [{kind: ServiceAccount, \
        namespace: shop, name: orders}]}";
    assert_eq!(err.to_string(), expected);
    pod.cluster.allow(&pod.token, &[reader()]);
    assert_eq!(password(&store).await, "hunter2", "permission came back");
}

#[tokio::test]
async fn a_token_that_was_replaced_is_read_again() {
    let pod = Pod::start();
    let store = pod.store();
    assert_eq!(password(&store).await, "hunter2");
    let next = pod.cluster.account("shop", "orders", &[reader()]);
    pod.cluster.mount(pod.dir.path(), "shop", &next);
    pod.cluster.expire(&pod.token);
    assert_eq!(password(&store).await, "hunter2");

    pod.cluster.expire(&next);
    let err = refused(&pod, &store).await;
    assert_eq!(err.kind(), SecretErrorKind::Denied);
    assert!(err.to_string().contains("does not know the token"), "{err}");
    assert!(!shown(&err).contains(&next), "{err}");
    assert!(store.check().await.is_err());
    let last = pod.cluster.account("shop", "orders", &[reader()]);
    pod.cluster.mount(pod.dir.path(), "shop", &last);
    assert_eq!(password(&store).await, "hunter2");
    assert!(store.check().await.is_ok());
}

#[tokio::test]
async fn a_kubeconfig_that_was_replaced_is_read_again_when_the_server_knows_us_no_more() {
    let pod = Pod::start();
    let dir = Dir::new();
    let path = dir.write("kubeconfig", &pod.cluster.kubeconfig(&pod.token));
    let config = KubernetesConfig::default()
        .kubeconfig(&path)
        .namespace("shop");
    let store = config.build(|_| None, &pod.tasks).expect("a kubeconfig");
    assert_eq!(password(&store).await, "hunter2");
    let next = pod.cluster.account("shop", "orders", &[reader()]);
    dir.write("kubeconfig", &pod.cluster.kubeconfig(&next));
    pod.cluster.expire(&pod.token);
    assert_eq!(
        password(&store).await,
        "hunter2",
        "without a failure in between"
    );
}

#[tokio::test]
async fn a_server_of_another_authority_is_not_trusted_until_its_authority_is_mounted() {
    let pod = Pod::start();
    pod.cluster.replace_authority();
    let store = pod.store();
    let err = refused(&pod, &store).await;
    assert_eq!(err.kind(), SecretErrorKind::Unavailable);
    assert!(err.to_string().contains("was not accepted"), "{err}");
    assert!(err.to_string().contains("ca.crt"), "{err}");
    pod.cluster.mount(pod.dir.path(), "shop", &pod.token);
    assert_eq!(password(&store).await, "hunter2");
}

#[tokio::test]
async fn a_server_that_is_away_is_named_and_found_again() {
    let pod = Pod::start();
    let store = pod.store();
    assert_eq!(password(&store).await, "hunter2");
    pod.cluster.down(true);
    // What breaks first is the connection that was there.
    let _cut = refused(&pod, &store).await;
    let err = refused(&pod, &store).await;
    assert_eq!(err.kind(), SecretErrorKind::Unavailable);
    assert!(
        err.to_string()
            .contains(&format!("make the API server at {}", pod.cluster.url())),
        "{err}"
    );
    assert!(store.check().await.is_err());
    pod.cluster.down(false);
    assert_eq!(password(&store).await, "hunter2");
}

#[tokio::test]
async fn nobody_listening_and_no_service_account_are_said() -> Result<(), BoxError> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let dir = Dir::new();
    let environment = |name: &str| match name {
        "KUBERNETES_SERVICE_HOST" => Some("127.0.0.1".to_owned()),
        _ => Some(port.to_string()),
    };
    let config = KubernetesConfig::default().service_account(dir.path());
    let store = config.build(environment, &Tasks::new())?;
    let err = fetch(&store, "db").await.expect_err("nothing is mounted");
    assert_eq!(err.kind(), SecretErrorKind::Unavailable);
    assert!(err.to_string().contains("ca.crt cannot be read"), "{err}");
    assert!(
        err.to_string().contains("automountServiceAccountToken"),
        "{err}"
    );
    // What is mounted later is seen.
    Cluster::start().mount(dir.path(), "shop", "token");
    let err = fetch(&store, "db").await.expect_err("nobody listens");
    assert!(err.to_string().contains("Connection refused"), "{err}");
    dir.write("token", "\n");
    let err = fetch(&store, "db").await.expect_err("no token");
    assert!(err.to_string().contains("holds no token"), "{err}");
    Ok(())
}
