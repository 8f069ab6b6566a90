//! Every way to log in.
use crate::{
    support::{Directory, Fixture, fetch, field, file},
    tls::{Authority, Signed},
};
use detectviz_core::secret::SecretErrorKind;
use detectviz_secrets::{
    store::Store,
    vault::{AuthConfig, VaultTlsConfig},
};
use detectviz_tests::vault::{TlsOptions, VaultOptions, clock::Held};
use serde_json::{Value, json};
use std::time::Duration;

fn text(body: &Value, pointer: &str) -> String {
    body.pointer(pointer)
        .and_then(Value::as_str)
        .expect("as the server documents it")
        .to_owned()
}

/// A token of the policy `app`, with `extra` in the request for it.
async fn token(fixture: &Fixture, extra: Value) -> String {
    let mut body = json!({ "policies": ["app"], "ttl": "1h" });
    body.as_object_mut()
        .expect("as the server documents it")
        .extend(
            extra
                .as_object()
                .expect("as the server documents it")
                .clone(),
        );
    let made = fixture.write("auth/token/create", body).await;
    text(&made, "/auth/client_token")
}

fn by_token(path: &std::path::Path, wrapped: bool) -> AuthConfig {
    AuthConfig::Token {
        token: file(path),
        wrapped,
    }
}

/// What `path` answers to the root token when the answer is wrapped: the wrapping token.
async fn wrapped(fixture: &Fixture, path: &str, body: Value) -> String {
    let uri = format!("{}/v1/{path}", fixture.server.address());
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new());
    let request = http::Request::post(uri)
        .header("x-vault-token", fixture.server.root_token())
        .header("x-vault-wrap-ttl", "5m")
        .body(http_body_util::Full::new(bytes::Bytes::from(
            body.to_string(),
        )))
        .expect("as the server documents it");
    let answer = client
        .build_http()
        .request(request)
        .await
        .expect("as the server documents it");
    let body = http_body_util::BodyExt::collect(answer.into_body())
        .await
        .expect("as the server documents it")
        .to_bytes();
    text(
        &serde_json::from_slice(&body).expect("as the server documents it"),
        "/wrap_info/token",
    )
}

#[tokio::test]
async fn a_given_token_is_looked_up_and_never_revoked() {
    let (fixture, dir) = (Fixture::new().await, Directory::new("vault-token"));
    for (name, value) in [
        ("root", fixture.server.root_token()),
        ("made", token(&fixture, json!({})).await),
        (
            "periodic",
            token(&fixture, json!({ "period": "30m" })).await,
        ),
    ] {
        let path = dir.write(name, &format!("{value}\n"));
        let store = fixture.build(fixture.config().auth(by_token(&path, false)));
        assert_eq!(
            field(&store, "kv/orders", "password").await,
            "one",
            "{name}"
        );
        store.close().await;
    }
    assert_eq!(fixture.server.requests("auth/token/revoke-self"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_token_file_that_was_replaced_is_read_again_when_its_token_is_dead() {
    let held = Held::new();
    let (fixture, dir) = (Fixture::new().await, Directory::new("vault-token-file"));
    let first = token(&fixture, json!({})).await;
    let path = dir.write("token", &first);
    let store = fixture.build(fixture.config().auth(by_token(&path, false)));
    field(&store, "kv/orders", "password").await;
    fixture
        .write("auth/token/revoke", json!({ "token": first }))
        .await;
    let err = fetch(&store, "kv/orders").await.unwrap_err();
    assert_eq!(err.kind(), SecretErrorKind::Denied);
    assert!(
        err.to_string().contains("write a token that is valid"),
        "{err}"
    );
    assert!(!err.to_string().contains(&first), "{err}");
    dir.write("token", &token(&fixture, json!({})).await);
    held.pass(Duration::from_secs(2), Duration::from_secs(1))
        .await;
    assert_eq!(field(&store, "kv/orders", "password").await, "one");
}

#[tokio::test]
async fn a_token_that_is_good_for_some_calls_alone_is_refused_with_the_remedy() {
    let (fixture, dir) = (Fixture::new().await, Directory::new("vault-uses"));
    let path = dir.write("token", &token(&fixture, json!({ "num_uses": 5 })).await);
    let store = fixture.build(fixture.config().auth(by_token(&path, false)));
    let err = fetch(&store, "kv/orders").await.unwrap_err();
    assert_eq!(err.kind(), SecretErrorKind::Denied);
    assert!(err.to_string().contains("`token_num_uses`"), "{err}");
}

#[tokio::test]
async fn a_wrapped_token_is_opened_once_and_a_spent_one_says_so() {
    let (fixture, dir) = (Fixture::new().await, Directory::new("vault-wrapped"));
    let body = json!({ "policies": ["app"], "ttl": "1h" });
    let path = dir.write("token", &wrapped(&fixture, "auth/token/create", body).await);
    let auth = || by_token(&path, true);
    let store = fixture.build(fixture.config().auth(auth()));
    assert_eq!(field(&store, "kv/orders", "password").await, "one");
    let thief = fixture.build(fixture.config().auth(auth()));
    let err = fetch(&thief, "kv/orders").await.unwrap_err();
    assert_eq!(err.kind(), SecretErrorKind::Denied);
    assert!(err.to_string().contains("was used before"), "{err}");
}

#[tokio::test]
async fn approle_logs_in_by_a_secret_id_that_may_be_wrapped() {
    let (fixture, dir) = (Fixture::new().await, Directory::new("vault-approle"));
    fixture
        .admin
        .enable_auth("machines", "approle")
        .await
        .unwrap();
    let role = json!({ "token_policies": "app", "token_ttl": "1h" });
    fixture.write("auth/machines/role/orders", role).await;
    let read = fixture
        .admin
        .read("auth/machines/role/orders/role-id")
        .await
        .unwrap();
    let role_id = text(&read, "/data/role_id");
    let made = fixture
        .write("auth/machines/role/orders/secret-id", json!({}))
        .await;
    let plain = dir.write("plain", &text(&made, "/data/secret_id"));
    let secret = wrapped(&fixture, "auth/machines/role/orders/secret-id", json!({})).await;
    let wrapped = dir.write("wrapped", &secret);
    let auth = |path, wrapped| AuthConfig::AppRole {
        mount: "machines/".to_owned(),
        role_id: role_id.clone(),
        secret_id: file(path),
        wrapped,
    };
    for (path, is_wrapped) in [(&plain, false), (&wrapped, true)] {
        let store = fixture.build(fixture.config().auth(auth(path, is_wrapped)));
        assert_eq!(field(&store, "kv/orders", "password").await, "one");
        // A wrapped secret id was opened, and is kept for the next login.
        let ours = fixture.server.tokens();
        let ours = ours
            .iter()
            .find(|token| token.path == "auth/machines/login")
            .unwrap();
        fixture.server.expire_token_now(&ours.accessor);
        assert_eq!(field(&store, "kv/orders", "password").await, "one");
    }
    let wrong = dir.write("wrong", "canary-secret-id");
    let store = fixture.build(fixture.config().auth(auth(&wrong, false)));
    let err = fetch(&store, "kv/orders").await.unwrap_err();
    assert_eq!(err.kind(), SecretErrorKind::Denied);
    assert!(
        err.to_string()
            .contains("the login by approle at auth/machines failed"),
        "{err}"
    );
    assert!(!format!("{err} {err:?}").contains("canary"), "{err}");
}

/// A JWT with these claims, which nobody has signed.
fn jwt(claims: &Value) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let encode = |text: &str| {
        let groups = text.as_bytes().chunks(3).map(|chunk| {
            let group = chunk
                .iter()
                .fold(0_u32, |group, byte| group << 8 | u32::from(*byte))
                << (8 * (3 - chunk.len()));
            let digit = |at: usize| char::from(DIGITS[(group >> (18 - 6 * at)) as usize & 63]);
            (0..=chunk.len()).map(digit).collect::<String>()
        });
        groups.collect::<String>()
    };
    format!("{}.{}.c2ln", encode("{}"), encode(&claims.to_string()))
}

#[tokio::test]
async fn kubernetes_reads_its_token_at_every_login() {
    let options = VaultOptions::default().unix(1_800_000_000);
    let (fixture, dir) = (
        Fixture::with(options).await,
        Directory::new("vault-kubernetes"),
    );
    fixture
        .admin
        .enable_auth("kubernetes", "kubernetes")
        .await
        .unwrap();
    fixture
        .write(
            "auth/kubernetes/config",
            json!({ "kubernetes_host": "https://k" }),
        )
        .await;
    let role = json!({
        "bound_service_account_names": "orders", "bound_service_account_namespaces": "shop",
        "audience": "vault", "token_policies": "app", "token_ttl": "1h",
    });
    fixture.write("auth/kubernetes/role/orders", role).await;
    let claims = |name: &str, exp: u64| {
        jwt(
            &json!({ "sub": format!("system:serviceaccount:shop:{name}"), "aud": ["vault"], "exp": exp }),
        )
    };
    let path = dir.write("token", &claims("orders", 1_800_000_600));
    let auth = AuthConfig::Kubernetes {
        mount: "kubernetes".to_owned(),
        role: "orders".to_owned(),
        token_file: path,
    };
    let store = fixture.build(fixture.config().auth(auth.clone()));
    assert_eq!(field(&store, "kv/orders", "password").await, "one");

    // The kubelet replaces the token; the old one has ended by the next login.
    fixture.server.set_unix_time(1_800_003_000);
    dir.write("token", &claims("orders", 1_800_003_600));
    let ours = fixture.server.tokens();
    let ours = ours
        .iter()
        .find(|token| token.path.contains("kubernetes"))
        .unwrap();
    fixture.server.expire_token_now(&ours.accessor);
    assert_eq!(field(&store, "kv/orders", "password").await, "one");

    dir.write("token", &claims("stranger", 1_800_003_600));
    let store = fixture.build(fixture.config().auth(auth));
    let err = fetch(&store, "kv/orders").await.unwrap_err();
    assert_eq!(err.kind(), SecretErrorKind::Denied);
    assert!(
        err.to_string()
            .contains("bind the role to this service account"),
        "{err}"
    );
}

#[tokio::test]
async fn a_certificate_logs_in_and_a_strangers_does_not() {
    let (authority, dir) = (Authority::new(), Directory::new("vault-cert"));
    let node = authority.sign("127.0.0.1", false);
    let options = VaultOptions::default().tls(TlsOptions::new(node.cert, node.key));
    let fixture = Fixture::with(options).await;
    fixture.admin.enable_auth("cert", "cert").await.unwrap();
    let role =
        json!({ "certificate": authority.pem(), "token_policies": "app", "token_ttl": "1h" });
    fixture.write("auth/cert/certs/orders", role).await;
    let ca = dir.write("ca.pem", &authority.pem());
    let config = |name: &str, signed: &Signed| {
        let cert = dir.write("cert.pem", &signed.cert);
        let key = dir.write("key.pem", &signed.key);
        let tls = VaultTlsConfig::default().ca_file(&ca).client(cert, key);
        let auth = AuthConfig::Cert {
            mount: "cert".to_owned(),
            name: name.to_owned(),
        };
        fixture.config().tls(tls).auth(auth)
    };
    for name in ["", "orders"] {
        let store = fixture.build(config(name, &authority.sign("orders", false)));
        assert_eq!(field(&store, "kv/orders", "password").await, "one");
    }
    let stranger = Authority::new().sign("orders", false);
    let store = fixture.build(config("orders", &stranger));
    let err = fetch(&store, "kv/orders").await.unwrap_err();
    assert_eq!(err.kind(), SecretErrorKind::Denied, "{err}");
    assert!(
        err.to_string().contains("let a certificate role trust"),
        "{err}"
    );
}

#[tokio::test]
async fn a_wrong_password_and_an_absent_method_are_told_apart() {
    let fixture = Fixture::new().await;
    let auth = |mount: &str, username: &str| AuthConfig::UserPass {
        mount: mount.to_owned(),
        username: username.to_owned(),
        password: "${secret:env:PASSWORD}".parse().unwrap(),
    };
    for (auth, expected) in [
        (auth("userpass", "stranger"), "correct user or password"),
        (auth("absent", "app"), "auth/absent"),
    ] {
        let store = fixture.build(fixture.config().auth(auth));
        let err = fetch(&store, "kv/orders").await.unwrap_err();
        assert_eq!(err.kind(), SecretErrorKind::Denied, "{err}");
        assert!(err.to_string().contains(expected), "{err}");
        assert!(!err.to_string().contains("hunter2"), "{err}");
        assert!(!err.to_string().contains("policy"), "{err}");
        let health = store.check().await.unwrap_err().to_string();
        assert!(health.contains("the login by userpass"), "{health}");
    }
}

#[tokio::test]
async fn a_refused_login_is_not_repeated_at_once() {
    let fixture = Fixture::new().await;
    fixture
        .admin
        .delete("auth/userpass/users/app")
        .await
        .unwrap();
    let store = fixture.store();
    for _ in 0..20 {
        assert!(fetch(&store, "kv/orders").await.is_err());
    }
    assert_eq!(fixture.logins(), 1);
}
