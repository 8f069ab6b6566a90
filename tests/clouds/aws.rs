//! AWS Secrets Manager: versions, forms, and everything that can go wrong, against moto's server.
use crate::support::{check, env_and_file, fetch, file, value};
use detectviz_core::secret::SecretErrorKind::{Denied, Malformed, NotFound, Unavailable};
use detectviz_secrets::{
    aws::{AwsConfig, AwsCredentials, AwsStore},
    store::Store,
};
use detectviz_tests::{
    clouds::{
        Api, Reply,
        moto::{Moto, REGION},
    },
    foreign::{TempDir, free_ports},
};
use serde_json::json;
use std::time::{Duration, Instant};

/// A store with keys from files.
pub(crate) fn store(url: &str, dir: &TempDir) -> AwsStore {
    dir.write("id", "AKIATEST\n");
    dir.write("key", "canary-key\n");
    at(url, dir, AwsConfig::default())
}

fn at(url: &str, dir: &TempDir, config: AwsConfig) -> AwsStore {
    let keys = AwsCredentials::static_keys(file(dir, "id"), file(dir, "key"));
    let config = config
        .enabled(true)
        .region(REGION)
        .endpoint(url)
        .credentials(keys);
    config.build(env_and_file()).expect("a store")
}

#[tokio::test]
async fn every_form_of_a_secret_is_read_and_a_rotation_is_seen_by_the_next_fetch() {
    let (moto, dir) = (Moto::start(), TempDir::new());
    let store = store(&moto.url(), &dir);
    let object = json!({"username": "app", "password": "first \"quoted\" \u{e4}"}).to_string();
    let made = moto.secrets(
        "CreateSecret",
        &json!({"Name": "orders/db", "SecretString": object}),
    );
    let made = made.1;
    moto.secrets(
        "CreateSecret",
        &json!({"Name": "token", "SecretString": "plain"}),
    );
    moto.secrets(
        "CreateSecret",
        &json!({"Name": "blob", "SecretBinary": "AP8B"}),
    );

    let first = fetch(&store, "aws:orders/db").await.expect("it is there");
    assert_eq!(first.label.as_deref(), made["VersionId"].as_str());
    assert_eq!(first.fields["username"].expose(), b"app");
    assert_eq!(
        first.fields["password"].expose_str(),
        Some("first \"quoted\" \u{e4}")
    );
    let arn = format!("aws:{}", made["ARN"].as_str().expect("an ARN"));
    assert_eq!(value(&store, &arn, "username").await, "app");
    assert_eq!(value(&store, "aws:token", "value").await, "plain");
    let blob = fetch(&store, "aws:blob").await.expect("it is there");
    assert_eq!(blob.fields["value"].expose(), [0, 255, 1]);

    let object = json!({"username": "app", "password": "second"}).to_string();
    moto.secrets(
        "PutSecretValue",
        &json!({"SecretId": "orders/db", "SecretString": object}),
    );
    let second = fetch(&store, "aws:orders/db").await.expect("it is there");
    assert_eq!(second.fields["password"].expose(), b"second");
    assert_ne!(second.label, first.label);
    let previous = fetch(&store, "aws:orders/db?stage=AWSPREVIOUS")
        .await
        .expect("it is there");
    assert_eq!(previous.label, first.label);
    let label = first.label.expect("a version");
    let version = fetch(&store, &format!("aws:orders/db?version={label}")).await;
    assert_eq!(version.expect("it is there").label, Some(label));
    store.check().await.expect("it can be asked");
}

#[tokio::test]
async fn what_is_not_there_is_deleted_or_not_yet_current_is_told_apart() {
    let (moto, dir) = (Moto::start(), TempDir::new());
    let store = store(&moto.url(), &dir);
    moto.secrets(
        "CreateSecret",
        &json!({"Name": "gone", "SecretString": "canary"}),
    );
    let deleted = moto.secrets("DeleteSecret", &json!({"SecretId": "gone"}));
    assert_eq!(deleted.0, 200);
    moto.secrets(
        "CreateSecret",
        &json!({"Name": "new", "SecretString": "canary"}),
    );
    check(
        &store,
        "aws:nothing",
        NotFound,
        &["create `nothing` in eu-west-1"],
    )
    .await;
    check(
        &store,
        "aws:gone",
        NotFound,
        &["restore-secret --secret-id gone"],
    )
    .await;
    check(
        &store,
        "aws:new?stage=AWSPREVIOUS",
        NotFound,
        &["labelled AWSPREVIOUS"],
    )
    .await;
    check(&store, "aws:new?stge=x", Malformed, &["stage, version"]).await;
}

#[tokio::test]
async fn a_policy_and_a_signature_that_are_not_enough_say_what_to_write() {
    let (moto, dir) = (Moto::start(), TempDir::new());
    let api = moto.in_form();
    let store = store(api.url(), &dir);
    moto.secrets(
        "CreateSecret",
        &json!({"Name": "orders/db", "SecretString": "canary"}),
    );
    let _user = moto.iam("Action=CreateUser&UserName=app", "UserName");
    let (id, _key) = moto.access_key("app");
    moto.enforce(0);
    // moto does not know the key of the files.
    check(&store, "aws:orders/db", Denied, &["correct the access key"]).await;
    dir.write("id", &id);
    let store = at(api.url(), &dir, AwsConfig::default());
    check(
        &store,
        "aws:orders/db",
        Denied,
        &["correct the secret access key"],
    )
    .await;
}

#[tokio::test]
async fn a_user_without_the_statement_is_denied_and_with_it_let_in() {
    let (moto, dir) = (Moto::start(), TempDir::new());
    let api = moto.in_form();
    let store = store(api.url(), &dir);
    moto.secrets(
        "CreateSecret",
        &json!({"Name": "orders/db", "SecretString": "plain"}),
    );
    let _user = moto.iam("Action=CreateUser&UserName=app", "UserName");
    let (id, key) = moto.access_key("app");
    dir.write("id", &id);
    dir.write("key", &key);
    moto.enforce(0);
    let statement = r#""Action": "secretsmanager:GetSecretValue""#;
    check(
        &store,
        "aws:orders/db",
        Denied,
        &[statement, "secret:orders/db-??????"],
    )
    .await;
    moto.enforce(1);
    moto.allow("app", "secretsmanager:GetSecretValue");
    assert_eq!(value(&store, "aws:orders/db", "value").await, "plain");
}

#[tokio::test]
async fn bad_answers_are_clear_errors() {
    let dir = TempDir::new();
    let soon = || AwsConfig::default().timeout(Duration::from_millis(300));
    let kms = json!({"__type": "DecryptionFailure", "message": "no"});
    let throttled = json!({"__type": "ThrottlingException", "message": "Rate exceeded"});
    let cases = [
        (
            Reply::new(200, "<html>canary</html>"),
            Unavailable,
            "in place of AWS",
        ),
        (
            Reply::new(200, r#"{"SecretString": 5, "Name": "canary"}"#),
            Unavailable,
            "in place of AWS",
        ),
        (Reply::new(302, "canary"), Unavailable, "in place of AWS"),
        (Reply::new(403, "canary"), Unavailable, "in place of AWS"),
        (Reply::new(503, "canary"), Unavailable, "503"),
        (Reply::json(400, &throttled), Unavailable, "throttles"),
        (Reply::json(400, &kms), Denied, "kms:Decrypt"),
        (Reply::Cut, Unavailable, "cuts the answers"),
        (Reply::Huge, Unavailable, "no secret has more than"),
        (Reply::Hang, Unavailable, "did not answer within 300ms"),
    ];
    for (reply, kind, part) in cases {
        let api = Api::start(move |_| reply.clone());
        store(api.url(), &dir);
        let store = at(api.url(), &dir, soon());
        check(&store, "aws:orders/db", kind, &[part]).await;
        assert_eq!(api.calls().len(), 1, "nothing is tried again: {part}");
    }
}

#[tokio::test]
async fn an_empty_secret_and_credentials_that_ended_are_named() {
    let dir = TempDir::new();
    let api = Api::start(|_| {
        Reply::new(
            200,
            r#"{"Name": "a", "SecretString": "", "VersionId": "v"}"#,
        )
    });
    let empty = detectviz_core::secret::SecretErrorKind::Empty;
    check(
        &store(api.url(), &dir),
        "aws:a",
        empty,
        &["put-secret-value"],
    )
    .await;
    let ended = json!({"__type": "ExpiredTokenException", "message": "expired"});
    let api = Api::start(move |_| Reply::json(400, &ended));
    check(&store(api.url(), &dir), "aws:a", Denied, &["have ended"]).await;
    assert_eq!(api.calls().len(), 2, "one new login is tried");
}

#[tokio::test]
async fn a_store_that_is_away_and_a_certificate_of_somebody_else_are_named() {
    let dir = TempDir::new();
    let [nobody] = free_ports();
    let away = store(&format!("http://{nobody}"), &dir);
    check(
        &away,
        "aws:a",
        Unavailable,
        &["let this pod reach", &nobody.to_string()],
    )
    .await;
    away.check().await.expect_err("nobody is there");

    let api = Api::start_tls(|_| Reply::new(200, r#"{"Name": "a", "SecretString": "plain"}"#));
    dir.write("authority.pem", api.authority());
    let trusting = |ca| at(api.url(), &dir, AwsConfig::default().ca_file(ca));
    let good = trusting(dir.path().join("authority.pem"));
    assert_eq!(value(&good, "aws:a", "value").await, "plain");
    let other = Api::start_tls(|_| Reply::Hang);
    dir.write("other.pem", other.authority());
    let wrong = trusting(dir.path().join("other.pem"));
    check(&wrong, "aws:a", Unavailable, &["`ca_file`", "other.pem"]).await;
    let missing = trusting(dir.path().join("missing.pem"));
    check(
        &missing,
        "aws:a",
        Unavailable,
        &["`ca_file`", "missing.pem"],
    )
    .await;
}

#[tokio::test]
async fn a_dropped_fetch_leaves_nothing_running() {
    let dir = TempDir::new();
    let api = Api::start(|_| Reply::Hang);
    let store = store(api.url(), &dir);
    let running = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    // Those of the files that it logs in with.
    let before = running();
    let start = Instant::now();
    let fetch = tokio::time::timeout(Duration::from_millis(100), fetch(&store, "aws:a"));
    assert!(fetch.await.is_err());
    assert!(start.elapsed() < Duration::from_secs(2));
    assert_eq!(running(), before);
}
