//! Several nodes: which is asked, which is passed over, where a redirect may lead.
use crate::support::{Fixture, fetch, field};
use detectviz_core::secret::SecretErrorKind;
use detectviz_secrets::store::Store;
use detectviz_tests::vault::{Fault, VaultOptions, VaultServer};

/// An address that nobody listens at.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("http://{}", listener.local_addr().expect("a free port"))
}

#[tokio::test]
async fn a_node_that_is_away_or_sealed_is_passed_over() {
    let fixture = Fixture::new().await;
    let other = VaultServer::start(VaultOptions::default());
    for fault in [
        Fault::Seal,
        Fault::Status(503),
        Fault::Status(473),
        Fault::Close,
    ] {
        other.set(fault.clone());
        let nodes = [nobody(), other.address(), fixture.server.address()];
        let store = fixture.build(fixture.config().addresses(nodes));
        assert_eq!(
            field(&store, "kv/orders", "password").await,
            "one",
            "{fault:?}"
        );
        store.check().await.unwrap();
        other.clear();
    }
}

#[tokio::test]
async fn the_node_that_answered_is_asked_first_from_then_on() {
    let fixture = Fixture::new().await;
    let other = VaultServer::start(VaultOptions::default());
    other.set(Fault::Status(503));
    let nodes = [other.address(), fixture.server.address()];
    let store = fixture.build(fixture.config().addresses(nodes));
    for _ in 0..5 {
        field(&store, "kv/orders", "password").await;
    }
    assert_eq!(other.log().len(), 1);
}

#[tokio::test]
async fn when_no_node_can_be_asked_each_is_named_with_its_reason() {
    let fixture = Fixture::new().await;
    let away = nobody();
    fixture.server.set(Fault::Seal);
    let nodes = [away.clone(), fixture.server.address()];
    let store = fixture.build(fixture.config().addresses(nodes));
    let err = fetch(&store, "kv/orders").await.unwrap_err();
    assert_eq!(err.kind(), SecretErrorKind::Unavailable);
    for expected in [
        away,
        fixture.server.address(),
        "unseal it".to_owned(),
        "no connection".to_owned(),
    ] {
        assert!(err.to_string().contains(&expected), "{expected}: {err}");
    }
}

#[tokio::test]
async fn a_standby_forwards_redirects_or_is_passed_over() {
    let fixture = Fixture::new().await;
    let standby = fixture.server.standby();
    let only = fixture.build(fixture.config().addresses([standby.address()]));
    assert_eq!(field(&only, "kv/orders", "password").await, "one");
    only.check().await.unwrap();

    // The same host, on a port that nobody has named.
    standby.redirect_to(fixture.server.address());
    let redirected = fixture.build(fixture.config().addresses([standby.address()]));
    assert_eq!(field(&redirected, "kv/orders", "password").await, "one");

    standby.redirect_to("");
    let nodes = [standby.address(), fixture.server.address()];
    let passed = fixture.build(fixture.config().addresses(nodes));
    assert_eq!(field(&passed, "kv/orders", "password").await, "one");
    let alone = fixture.build(fixture.config().addresses([standby.address()]));
    let err = fetch(&alone, "kv/orders").await.unwrap_err();
    assert!(err.to_string().contains("on standby"), "{err}");
}

#[tokio::test]
async fn a_token_never_follows_a_redirect_elsewhere() {
    let fixture = Fixture::new().await;
    let standby = fixture.server.standby();
    let port = fixture.server.addr().port();
    let store = fixture.build(fixture.config().addresses([standby.address()]));
    field(&store, "kv/orders", "password").await;
    let before = fixture.server.log().len();
    standby.redirect_to(format!("http://localhost:{port}"));
    let err = fetch(&store, "kv/orders").await.unwrap_err();
    assert_eq!(err.kind(), SecretErrorKind::Unavailable);
    assert!(
        err.to_string()
            .contains("name the active node in `addresses`"),
        "{err}"
    );
    assert_eq!(
        fixture.server.log().len(),
        before + 1,
        "the standby alone was asked"
    );

    // Once it is named, it may be followed.
    let nodes = [standby.address(), format!("http://localhost:{port}")];
    let store = fixture.build(fixture.config().addresses(nodes));
    assert_eq!(field(&store, "kv/orders", "password").await, "one");
}
