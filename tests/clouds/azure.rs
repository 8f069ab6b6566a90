//! Azure Key Vault: versions, logins, and everything that can go wrong, against fakes of what Azure documents.
use crate::support::{check, env_and_file, fetch, file, value};
use detectviz_core::secret::SecretErrorKind::{Denied, Empty, Malformed, NotFound, Unavailable};
use detectviz_secrets::{
    azure::{AzureConfig, AzureCredentials, AzureStore},
    store::Store,
};
use detectviz_tests::{
    clouds::{
        Api, Reply,
        azure::{RESOURCE, Vault, entra, imds, key_vault},
        lock,
    },
    foreign::{TempDir, free_ports},
};
use serde_json::{Value, json};
use std::time::Duration;

const TOKEN: &str = "canary-token";

pub(crate) fn store(vault_url: &str, credentials: AzureCredentials) -> AzureStore {
    let config = AzureConfig::default()
        .enabled(true)
        .vault_url(vault_url)
        .resource(RESOURCE);
    let config = config
        .timeout(Duration::from_millis(500))
        .credentials(credentials);
    config.build(env_and_file()).expect("a store")
}

pub(crate) fn identity(api: &Api) -> AzureCredentials {
    AzureCredentials::ManagedIdentity {
        client_id: None,
        endpoint: api.url().to_owned(),
    }
}

/// A vault with one version of each secret.
pub(crate) fn vault(secrets: &[(&'static str, &str, Value)]) -> Vault {
    let version =
        |value: &str, attributes: &Value| vec![("v1", value.to_owned(), attributes.clone())];
    let secrets = secrets
        .iter()
        .map(|(name, value, attributes)| (*name, version(value, attributes)));
    Vault {
        token: TOKEN.to_owned(),
        secrets: secrets.collect(),
        ..Vault::default()
    }
}

#[tokio::test]
async fn every_form_of_a_secret_is_read_and_a_new_version_is_seen_by_the_next_fetch() {
    let on = json!({"enabled": true, "exp": 4_070_908_800_u64, "nbf": 1});
    let object = json!({"user": "app", "password": "\"quoted\" \u{e4}\n"}).to_string();
    let (api, known) = key_vault(vault(&[
        ("db", &object, on.clone()),
        ("token", "plain", on.clone()),
    ]));
    let server = imds(None, TOKEN);
    let store = store(api.url(), identity(&server));
    let first = fetch(&store, "azure:db").await.expect("it is there");
    assert_eq!(first.label.as_deref(), Some("v1"));
    assert_eq!(
        first.fields["password"].expose_str(),
        Some("\"quoted\" \u{e4}\n")
    );
    assert_eq!(value(&store, "azure:token", "value").await, "plain");
    let versions = |vault: &mut Vault| {
        let db = vault.secrets.get_mut("db").expect("it is there");
        db.push(("v2", "next".to_owned(), on));
    };
    versions(&mut lock(&known));
    let next = fetch(&store, "azure:db").await.expect("it is there");
    assert_eq!(
        (next.label.as_deref(), next.fields["value"].expose()),
        (Some("v2"), &b"next"[..])
    );
    assert_eq!(value(&store, "azure:db/v1", "user").await, "app");
    let id = format!("azure:{}/secrets/db/v2", api.url());
    assert_eq!(value(&store, &id, "value").await, "next");
    store.check().await.expect("it can be asked");
    assert_eq!(server.calls().len(), 1, "the token lasts");
}

#[tokio::test]
async fn what_is_not_there_disabled_expired_early_or_empty_is_told_apart() {
    let (api, _) = key_vault(vault(&[
        ("off", "canary", json!({"enabled": false})),
        ("old", "canary", json!({"enabled": true, "exp": 1})),
        (
            "early",
            "canary",
            json!({"enabled": true, "nbf": 4_070_908_800_u64}),
        ),
        ("empty", "", json!({"enabled": true})),
    ]));
    let server = imds(None, TOKEN);
    let strict = store(api.url(), identity(&server));
    check(&strict, "azure:none", NotFound, &["set the secret `none`"]).await;
    check(
        &strict,
        "azure:old/none",
        NotFound,
        &["name a version of `old`"],
    )
    .await;
    check(&strict, "azure:off", NotFound, &["it is disabled"]).await;
    check(
        &strict,
        "azure:old",
        NotFound,
        &["it has expired", "allow_expired"],
    )
    .await;
    check(&strict, "azure:early", NotFound, &["it is not valid yet"]).await;
    check(&strict, "azure:empty", Empty, &["az keyvault secret set"]).await;
    check(
        &strict,
        "azure:a_b",
        Malformed,
        &["letters, digits and hyphens"],
    )
    .await;
    check(
        &strict,
        "azure:https://other.vault.azure.net/secrets/a",
        Malformed,
        &["this store's vault"],
    )
    .await;
    let config = AzureConfig::default()
        .enabled(true)
        .vault_url(api.url())
        .resource(RESOURCE);
    let config = config.allow_expired(true).credentials(identity(&server));
    let lenient = config.build(env_and_file()).expect("a store");
    assert_eq!(value(&lenient, "azure:old", "value").await, "canary");
}

#[tokio::test]
async fn refusals_say_what_to_grant_and_a_refused_token_is_replaced_once() {
    let (api, known) = key_vault(vault(&[("db", "plain", json!({}))]));
    let server = imds(None, TOKEN);
    let store = store(api.url(), identity(&server));
    for (refusal, kind, part) in [
        (
            (403, "Forbidden", "ForbiddenByRbac"),
            Denied,
            "Key Vault Secrets User",
        ),
        (
            (403, "Forbidden", "ForbiddenByFirewall"),
            Denied,
            "firewall",
        ),
        ((429, "Throttled", ""), Unavailable, "asks for 7 s of quiet"),
        ((500, "InternalError", ""), Unavailable, "500 InternalError"),
    ] {
        lock(&known).refusal = Some(refusal);
        check(&store, "azure:db", kind, &[part]).await;
    }
    assert_eq!(server.calls().len(), 1, "the token lasts");
    lock(&known).refusal = None;
    lock(&known).token = "another".to_owned();
    check(&store, "azure:db", Denied, &["does not accept the token"]).await;
    assert_eq!(server.calls().len(), 2, "one new login is tried");
    lock(&known).token = TOKEN.to_owned();
    assert_eq!(value(&store, "azure:db", "value").await, "plain");
}

#[tokio::test]
async fn a_vault_that_wants_a_token_for_somebody_else_gets_none() {
    let (api, known) = key_vault(vault(&[("db", "plain", json!({}))]));
    lock(&known).resource = "https://management.azure.com".to_owned();
    let server = imds(None, TOKEN);
    check(
        &store(api.url(), identity(&server)),
        "azure:db",
        Denied,
        &["https://management.azure.com", "not its domain"],
    )
    .await;
    lock(&known).resource = RESOURCE.to_owned();
    let config = AzureConfig::default().enabled(true).vault_url(api.url());
    let unnamed = config
        .credentials(identity(&server))
        .build(env_and_file())
        .expect("a store");
    check(&unnamed, "azure:db", Denied, &["not its domain"]).await;
    assert!(server.calls().is_empty());
}

#[tokio::test]
async fn a_projected_token_or_a_client_secret_is_exchanged_with_entra() {
    let dir = TempDir::new();
    let (api, _) = key_vault(vault(&[("db", "plain", json!({}))]));
    let server = entra("canary-proof", TOKEN);
    let federated = |tenant: &str, client: &str| AzureCredentials::WorkloadIdentity {
        tenant_id: tenant.to_owned(),
        client_id: client.to_owned(),
        token_file: dir.path().join("token"),
        authority_host: server.url().to_owned(),
    };
    let secret = |name: &str| AzureCredentials::ClientSecret {
        tenant_id: "tenant".to_owned(),
        client_id: "client".to_owned(),
        secret: file(&dir, name),
        authority_host: server.url().to_owned(),
    };
    let good = store(api.url(), federated("tenant", "client"));
    check(&good, "azure:db", Unavailable, &["credentials.token_file"]).await;
    dir.write("token", "canary-other");
    check(
        &good,
        "azure:db",
        Denied,
        &["federated credential", "AADSTS700213"],
    )
    .await;
    dir.write("token", "canary-proof\n");
    assert_eq!(value(&good, "azure:db", "value").await, "plain");
    check(
        &store(api.url(), federated("other", "client")),
        "azure:db",
        Denied,
        &["tenant_id"],
    )
    .await;
    check(
        &store(api.url(), federated("tenant", "other")),
        "azure:db",
        Denied,
        &["client_id"],
    )
    .await;
    dir.write("good", "canary-proof\n");
    dir.write("wrong", "canary-wrong\n");
    assert_eq!(
        value(&store(api.url(), secret("good")), "azure:db", "value").await,
        "plain"
    );
    check(
        &store(api.url(), secret("wrong")),
        "azure:db",
        Denied,
        &["not its id"],
    )
    .await;
    check(
        &store(api.url(), secret("none")),
        "azure:db",
        NotFound,
        &["the login needs", "none"],
    )
    .await;
}

#[tokio::test]
async fn an_identity_that_the_node_does_not_have_is_named() {
    let (api, _) = key_vault(vault(&[("db", "plain", json!({}))]));
    let server = imds(Some("assigned"), TOKEN);
    let assigned = |client: &str| AzureCredentials::ManagedIdentity {
        client_id: Some(client.to_owned()),
        endpoint: server.url().to_owned(),
    };
    assert_eq!(
        value(&store(api.url(), assigned("assigned")), "azure:db", "value").await,
        "plain"
    );
    check(
        &store(api.url(), assigned("other")),
        "azure:db",
        Denied,
        &["assign the managed identity"],
    )
    .await;
    for (status, part) in [(404, "404"), (410, "410"), (500, "500")] {
        let server = Api::start(move |_| Reply::new(status, "canary"));
        check(
            &store(api.url(), identity(&server)),
            "azure:db",
            Unavailable,
            &[part],
        )
        .await;
    }
}

#[tokio::test]
async fn bad_answers_are_clear_errors() {
    let cases = [
        (
            Reply::new(200, "<html>canary</html>"),
            "in place of Key Vault",
        ),
        (
            Reply::new(200, r#"{"value":5,"id":"canary"}"#),
            "in place of Key Vault",
        ),
        (Reply::new(302, "canary"), "302, without a code"),
        (Reply::new(502, "canary"), "502"),
        (Reply::Cut, "cuts the answers"),
        (Reply::Huge, "no secret has more than"),
        (Reply::Hang, "did not answer within 500ms"),
    ];
    let server = imds(None, TOKEN);
    for (reply, part) in cases {
        let challenge = format!(r#"Bearer resource="{RESOURCE}""#);
        let api = Api::start(move |call| match call.header("authorization") {
            "" => Reply::new(401, "").header("www-authenticate", challenge.clone()),
            _ => reply.clone(),
        });
        check(
            &store(api.url(), identity(&server)),
            "azure:db",
            Unavailable,
            &[part],
        )
        .await;
        assert_eq!(api.calls().len(), 2, "nothing is tried again: {part}");
    }
    for (reply, part) in [
        (
            Reply::new(200, "canary"),
            "200 OK to a call without a token",
        ),
        (Reply::new(401, "canary"), "names no resource"),
        (Reply::new(503, "canary"), "503"),
    ] {
        let api = Api::start(move |_| reply.clone());
        check(
            &store(api.url(), identity(&server)),
            "azure:db",
            Unavailable,
            &[part],
        )
        .await;
    }
    let [nobody] = free_ports();
    let away = store(&format!("http://{nobody}"), identity(&server));
    check(&away, "azure:db", Unavailable, &["let this pod reach"]).await;
    away.check().await.expect_err("nobody is there");
}
