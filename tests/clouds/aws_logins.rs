//! How a pod logs in to AWS: IRSA against moto's STS, EKS Pod Identity and IMDSv2 against fakes of them.
use crate::support::{check, env_and_file, fetch, value};
use detectviz_core::secret::SecretErrorKind::{Denied, Unavailable};
use detectviz_secrets::aws::{AwsConfig, AwsCredentials, AwsStore};
use detectviz_tests::{
    clouds::{
        Api, Reply,
        eks::{self, Pod},
        imds, lock,
        moto::{Moto, REGION},
    },
    foreign::TempDir,
};
use serde_json::json;

fn store(url: &str, credentials: AwsCredentials) -> AwsStore {
    let config = AwsConfig::default()
        .enabled(true)
        .region(REGION)
        .endpoint(url);
    config
        .credentials(credentials)
        .build(env_and_file())
        .expect("a store")
}

/// Answers with the session token that signed the call as the value.
fn echo() -> Api {
    Api::start(|call| {
        let signer = call.header("authorization").split_once("Credential=");
        let id = signer.and_then(|(_, rest)| rest.split('/').next());
        Reply::json(
            200,
            &json!({"Name": "a", "SecretString": id.unwrap_or_default()}),
        )
    })
}

fn irsa(dir: &TempDir, sts: &str) -> AwsCredentials {
    AwsCredentials::WebIdentity {
        role_arn: "arn:aws:iam::123456789012:role/orders".to_owned(),
        token_file: dir.path().join("token"),
        session_name: "orders".to_owned(),
        sts_endpoint: Some(sts.to_owned()),
    }
}

fn agent(dir: &TempDir, api: &Api) -> AwsCredentials {
    AwsCredentials::PodIdentity {
        endpoint: format!("{}/v1/credentials", api.url()),
        token_file: dir.path().join("token"),
    }
}

fn pod(expiration: &str) -> Pod {
    Pod {
        token: "canary-token".to_owned(),
        keys: ("ASIAFIRST".to_owned(), "canary-key".to_owned()),
        expiration: expiration.to_owned(),
    }
}

#[tokio::test]
async fn a_projected_token_is_exchanged_with_sts_once_while_the_credentials_last() {
    let (moto, dir) = (Moto::start(), TempDir::new());
    moto.secrets(
        "CreateSecret",
        &json!({"Name": "a", "SecretString": "plain"}),
    );
    dir.write("token", "header.payload.signature\n");
    let signed = echo();
    assert_eq!(
        value(
            &store(&moto.url(), irsa(&dir, &moto.url())),
            "aws:a",
            "value"
        )
        .await,
        "plain"
    );
    let store = store(signed.url(), irsa(&dir, &moto.url()));
    let first = value(&store, "aws:a", "value").await;
    assert!(first.starts_with("ASIA"), "{first}");
    assert_eq!(
        value(&store, "aws:a", "value").await,
        first,
        "the same login"
    );
}

#[tokio::test]
async fn refused_logins_at_sts_say_what_to_change() {
    let dir = TempDir::new();
    let signed = echo();
    let fault = |code: &str| {
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>canry</Message></Error></ErrorResponse>"
        )
    };
    let cases = [
        (
            403,
            "AccessDenied",
            Denied,
            "system:serviceaccount:<namespace>:<name>",
        ),
        (
            400,
            "InvalidIdentityToken",
            Denied,
            "identity provider in IAM",
        ),
        (400, "ExpiredTokenException", Denied, "the kubelet renews"),
        (
            400,
            "IDPCommunicationError",
            Unavailable,
            "discovery document",
        ),
        (503, "ServiceUnavailable", Unavailable, "503"),
    ];
    for (status, code, kind, part) in cases {
        let body = fault(code);
        let sts = Api::start(move |_| Reply::new(status, body.clone()));
        let store = store(signed.url(), irsa(&dir, sts.url()));
        check(&store, "aws:a", Unavailable, &["credentials.token_file"]).await;
        dir.write("token", "canary");
        check(&store, "aws:a", kind, &[part]).await;
        let call = &sts.calls()[0];
        assert_eq!(
            (call.form("WebIdentityToken"), call.form("RoleSessionName")),
            ("canary", "orders")
        );
        std::fs::remove_file(dir.path().join("token")).expect("it is ours");
    }
    assert!(signed.calls().is_empty());
}

#[tokio::test]
async fn the_agent_of_eks_is_asked_with_the_token_as_it_is_now() {
    let dir = TempDir::new();
    let signed = echo();
    let (api, known) = eks::agent(pod("2099-01-01T00:00:00Z"));
    let store = store(signed.url(), agent(&dir, &api));
    dir.write("token", "canary-old");
    check(
        &store,
        "aws:a",
        Denied,
        &["create-pod-identity-association", "401"],
    )
    .await;
    dir.write("token", "canary-token");
    assert_eq!(value(&store, "aws:a", "value").await, "ASIAFIRST");
    lock(&known).keys.0 = "ASIASECOND".to_owned();
    assert_eq!(
        value(&store, "aws:a", "value").await,
        "ASIAFIRST",
        "it lasts"
    );
    assert_eq!(api.calls().len(), 2);
}

#[tokio::test]
async fn credentials_that_have_ended_are_replaced_by_one_login() {
    let dir = TempDir::new();
    let (api, known) = eks::agent(pod("2020-01-01T00:00:00Z"));
    dir.write("token", "canary-token");
    let ended = Api::start(
        |call| match call.header("authorization").contains("ASIAFIRST") {
            true => Reply::json(
                400,
                &json!({"__type": "ExpiredTokenException", "message": ""}),
            ),
            false => Reply::json(200, &json!({"Name": "a", "SecretString": "plain"})),
        },
    );
    let store = store(ended.url(), agent(&dir, &api));
    check(&store, "aws:a", Denied, &["have ended"]).await;
    *lock(&known) = Pod {
        keys: ("ASIASECOND".to_owned(), "canary-key".to_owned()),
        ..pod("2099-01-01T00:00:00Z")
    };
    assert_eq!(value(&store, "aws:a", "value").await, "plain");
}

#[tokio::test]
async fn an_instance_gives_the_keys_of_its_role_by_a_session() {
    let signed = echo();
    let service = imds::service(Some("orders"));
    let instance = |api: &Api| AwsCredentials::Instance {
        endpoint: api.url().to_owned(),
    };
    let with_role = store(signed.url(), instance(&service));
    assert_eq!(value(&with_role, "aws:a", "value").await, "ASIATEST");
    assert_eq!(value(&with_role, "aws:a", "value").await, "ASIATEST");
    assert_eq!(service.calls().len(), 3, "the login lasts");
    let without = imds::service(None);
    let without = store(signed.url(), instance(&without));
    check(&without, "aws:a", Denied, &["instance profile"]).await;
    let odd = Api::start(|_| Reply::new(200, "canary\nmore"));
    let odd = store(signed.url(), instance(&odd));
    assert!(fetch(&odd, "aws:a").await.is_err());
}
