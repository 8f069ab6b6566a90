//! Google Secret Manager: versions, logins, and everything that can go wrong, against fakes of what Google documents.
use crate::support::{check, fetch, value};
use detectviz_core::secret::SecretErrorKind::{Denied, Empty, Malformed, NotFound, Unavailable};
use detectviz_secrets::{
    gcp::{GcpConfig, GcpCredentials, GcpStore},
    store::Store,
};
use detectviz_tests::{
    clouds::{
        Api, Reply,
        gcp::{Project, Version, federation, metadata, secret_manager, service_account, verified},
        lock,
    },
    foreign::{TempDir, free_ports},
};
use serde_json::json;
use std::time::Duration;

/// `plain` and `{"user":"app"}`, with their checksums.
pub(crate) const PLAIN: Version = Version::Enabled("cGxhaW4=", 0x57b8_6a59);
const OBJECT: Version = Version::Enabled("eyJ1c2VyIjoiYXBwIn0=", 0xb813_beee);

pub(crate) fn store(endpoint: &str, credentials: GcpCredentials) -> GcpStore {
    let config = GcpConfig::default()
        .enabled(true)
        .project("p")
        .endpoint(endpoint);
    let config = config
        .timeout(Duration::from_millis(500))
        .credentials(credentials);
    config.build().expect("a store")
}

pub(crate) fn project(secrets: &[(&str, &[Version])]) -> Project {
    let secrets = secrets
        .iter()
        .map(|(name, versions)| (format!("projects/{name}"), versions.to_vec()));
    Project {
        secrets: secrets.collect(),
        ..Project::default()
    }
}

pub(crate) fn at(api: &Api) -> GcpCredentials {
    GcpCredentials::Metadata {
        endpoint: api.url().to_owned(),
    }
}

#[tokio::test]
async fn every_form_of_a_secret_is_read_and_a_new_version_is_seen_by_the_next_fetch() {
    let (api, known) = secret_manager(project(&[
        ("p/secrets/db", &[PLAIN, OBJECT]),
        ("other/secrets/db", &[PLAIN]),
        ("p/locations/europe-west1/secrets/near", &[PLAIN]),
    ]));
    let store = store(api.url(), GcpCredentials::Anonymous);
    let latest = fetch(&store, "gcp:db").await.expect("it is there");
    assert_eq!(latest.label.as_deref(), Some("2"));
    assert_eq!(latest.fields["user"].expose(), b"app");
    assert_eq!(value(&store, "gcp:db/versions/1", "value").await, "plain");
    assert_eq!(
        value(&store, "gcp:projects/other/secrets/db", "value").await,
        "plain"
    );
    let near = "gcp:projects/p/locations/europe-west1/secrets/near/versions/1";
    assert_eq!(value(&store, near, "value").await, "plain");
    lock(&known)
        .secrets
        .entry("projects/p/secrets/db".to_owned())
        .or_default()
        .push(PLAIN);
    let next = fetch(&store, "gcp:db").await.expect("it is there");
    assert_eq!(next.label.as_deref(), Some("3"));
    store.check().await.expect("it can be asked");
}

#[tokio::test]
async fn what_is_not_there_disabled_destroyed_empty_or_damaged_is_told_apart() {
    let damaged = Version::Enabled("cGxhaW4=", 7);
    let (api, _) = secret_manager(project(&[
        ("p/secrets/off", &[Version::Disabled]),
        ("p/secrets/gone", &[Version::Destroyed]),
        ("p/secrets/empty", &[Version::Enabled("", 0)]),
        ("p/secrets/damaged", &[damaged]),
    ]));
    let store = store(api.url(), GcpCredentials::Anonymous);
    check(
        &store,
        "gcp:none",
        NotFound,
        &["create the secret `none` in project p"],
    )
    .await;
    check(&store, "gcp:off", NotFound, &["it is disabled"]).await;
    check(&store, "gcp:gone", NotFound, &["it is destroyed"]).await;
    check(&store, "gcp:empty", Empty, &["versions add"]).await;
    check(&store, "gcp:damaged", Unavailable, &["CRC32C"]).await;
    check(
        &store,
        "gcp:a/b",
        Malformed,
        &["projects/<project>/secrets/<name>"],
    )
    .await;
}

#[tokio::test]
async fn refusals_say_what_to_grant_and_a_refused_token_is_replaced_once() {
    let (api, known) = secret_manager(project(&[("p/secrets/db", &[PLAIN])]));
    let server = metadata("canary-token", 3_600);
    let store = store(api.url(), at(&server));
    lock(&known).refusal = Some((403, "PERMISSION_DENIED", "Permission denied on resource."));
    check(
        &store,
        "gcp:db",
        Denied,
        &["roles/secretmanager.secretAccessor"],
    )
    .await;
    let off = "Secret Manager API has not been used in project p before or it is disabled.";
    lock(&known).refusal = Some((403, "PERMISSION_DENIED", off));
    check(&store, "gcp:db", Denied, &["gcloud services enable"]).await;
    lock(&known).refusal = Some((429, "RESOURCE_EXHAUSTED", "Quota exceeded"));
    check(&store, "gcp:db", Unavailable, &["throttles"]).await;
    assert_eq!(server.calls().len(), 1, "the token lasts");
    lock(&known).refusal = None;
    lock(&known).token = "another".to_owned();
    check(&store, "gcp:db", Denied, &["does not accept the token"]).await;
    assert_eq!(server.calls().len(), 2, "one new login is tried");
    lock(&known).token = "canary-token".to_owned();
    assert_eq!(value(&store, "gcp:db", "value").await, "plain");
}

#[tokio::test]
async fn a_metadata_server_that_is_another_or_knows_nobody_is_named() {
    let cases = [
        (
            Reply::new(200, r#"{"access_token":"canary","expires_in":9}"#),
            Unavailable,
            "in place of the metadata server",
        ),
        (
            Reply::new(404, "").header("metadata-flavor", "Google"),
            Denied,
            "give this pod or node a service account",
        ),
        (
            Reply::new(403, "canary").header("metadata-flavor", "Google"),
            Denied,
            "roles/iam.workloadIdentityUser",
        ),
        (
            Reply::new(500, "canary").header("metadata-flavor", "Google"),
            Unavailable,
            "500",
        ),
        (
            Reply::new(200, "canary").header("metadata-flavor", "Google"),
            Unavailable,
            "in place of the metadata server",
        ),
        (Reply::Hang, Unavailable, "did not answer within 500ms"),
    ];
    for (reply, kind, part) in cases {
        let server = Api::start(move |_| reply.clone());
        check(
            &store("http://127.0.0.1:1", at(&server)),
            "gcp:db",
            kind,
            &[part],
        )
        .await;
    }
}

#[tokio::test]
async fn the_key_of_a_service_account_signs_a_token_that_others_verify() {
    let dir = TempDir::new();
    let public = service_account(&dir);
    let (api, _) = secret_manager(project(&[("p/secrets/db", &[PLAIN])]));
    let key = |name: &str| GcpCredentials::ServiceAccountFile {
        file: dir.path().join(name),
    };
    let signed = store(api.url(), key("key.json"));
    assert_eq!(value(&signed, "gcp:db", "value").await, "plain");
    assert_eq!(value(&signed, "gcp:db", "value").await, "plain");
    let calls = api.calls();
    let [first, second] = [0, 1].map(|at| calls[at].header("authorization"));
    assert_eq!(first, second, "the token lasts");
    let token = verified(first.strip_prefix("Bearer ").expect("a bearer"), &public);
    assert_eq!(
        token["header"],
        json!({"alg": "RS256", "typ": "JWT", "kid": "key-1"})
    );
    let claims = &token["claims"];
    assert_eq!(claims["iss"], "app@p.iam.gserviceaccount.com");
    assert_eq!(claims["sub"], claims["iss"]);
    assert_eq!(
        claims["scope"],
        "https://www.googleapis.com/auth/cloud-platform"
    );
    assert_eq!(
        claims["exp"].as_u64(),
        claims["iat"].as_u64().map(|iat| iat + 3_600)
    );
    dir.write(
        "odd.json",
        r#"{"client_email":"a","private_key_id":"b","private_key":"canary"}"#,
    );
    check(
        &store(api.url(), key("odd.json")),
        "gcp:db",
        Malformed,
        &["private_key"],
    )
    .await;
    dir.write("odd.json", "canary");
    check(
        &store(api.url(), key("odd.json")),
        "gcp:db",
        Malformed,
        &["JSON key"],
    )
    .await;
    check(
        &store(api.url(), key("none.json")),
        "gcp:db",
        Unavailable,
        &["none.json"],
    )
    .await;
}

#[tokio::test]
async fn a_token_of_another_cluster_is_exchanged_and_may_impersonate() {
    let dir = TempDir::new();
    let sts = federation("canary-subject");
    let (api, known) = secret_manager(project(&[("p/secrets/db", &[PLAIN])]));
    let mut account = json!({
        "type": "external_account", "audience": "//iam.googleapis.com/projects/1/…/providers/k",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "token_url": format!("{}/v1/token", sts.url()),
        "credential_source": {"file": dir.path().join("token")},
    });
    let external = || {
        let file = dir.path().join("account.json");
        store(api.url(), GcpCredentials::ExternalAccountFile { file })
    };
    dir.write("account.json", &account.to_string());
    dir.write("token", "canary-other");
    check(
        &external(),
        "gcp:db",
        Denied,
        &["let the workload identity pool accept"],
    )
    .await;
    dir.write("token", "canary-subject\n");
    lock(&known).token = "federated".to_owned();
    assert_eq!(value(&external(), "gcp:db", "value").await, "plain");

    let impersonation =
        "v1/projects/-/serviceAccounts/app@p.iam.gserviceaccount.com:generateAccessToken";
    account["service_account_impersonation_url"] = json!(format!("{}/{impersonation}", sts.url()));
    account["credential_source"]["format"] =
        json!({"type": "json", "subject_token_field_name": "t"});
    dir.write("account.json", &account.to_string());
    dir.write("token", r#"{"t": "canary-subject"}"#);
    lock(&known).token = "impersonated".to_owned();
    assert_eq!(value(&external(), "gcp:db", "value").await, "plain");

    account["token_url"] = json!("http://example.com/token");
    dir.write("account.json", &account.to_string());
    check(&external(), "gcp:db", Malformed, &["https://"]).await;
    account["credential_source"] = json!({"url": "http://example.com"});
    dir.write("account.json", &account.to_string());
    check(
        &external(),
        "gcp:db",
        Malformed,
        &["--credential-source-file"],
    )
    .await;
}

#[tokio::test]
async fn bad_answers_are_clear_errors() {
    let cases = [
        (
            Reply::new(200, "<html>canary</html>"),
            "in place of Secret Manager",
        ),
        (
            Reply::new(200, r#"{"name":"a","payload":{"data":5,"x":"canary"}}"#),
            "in place of Secret Manager",
        ),
        (Reply::new(302, "canary"), "302, without a code"),
        (Reply::new(502, "canary"), "502"),
        (Reply::Cut, "cuts the answers"),
        (Reply::Huge, "no secret has more than"),
        (Reply::Hang, "did not answer within 500ms"),
    ];
    for (reply, part) in cases {
        let api = Api::start(move |_| reply.clone());
        check(
            &store(api.url(), GcpCredentials::Anonymous),
            "gcp:db",
            Unavailable,
            &[part],
        )
        .await;
        assert_eq!(api.calls().len(), 1, "nothing is tried again: {part}");
    }
    let [nobody] = free_ports();
    let away = store(&format!("http://{nobody}"), GcpCredentials::Anonymous);
    check(&away, "gcp:db", Unavailable, &["let this pod reach"]).await;
    away.check().await.expect_err("nobody is there");
}
