//! What others would read from the environment has no effect: each store is used in a process full of it.
use detectviz_tests::http1::is_timeout;
use std::{
    net::{Ipv4Addr, TcpListener},
    process::Command,
};

/// What third-party libraries would read by themselves.
const HOSTILE: [&str; 32] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CA_BUNDLE",
    "AWS_DEFAULT_REGION",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    "AWS_ENDPOINT_URL_STS",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_ROLE_ARN",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AZURE_AUTHORITY_HOST",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_TENANT_ID",
    "GCE_METADATA_HOST",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_CLOUD_PROJECT",
    "IDENTITY_ENDPOINT",
    "ALL_PROXY",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "http_proxy",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
];

/// Names what a child talks to.
const TALKS_TO: &str = "DETECTVIZ_TEST_CHILD_OF";

/// Runs the test `name` of this program again, in a process where every hostile variable leads into a trap.
fn in_hostile_process(name: &str, urls: &[&str]) {
    let trap = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    trap.set_nonblocking(true).expect("a socket");
    let trapped = format!("http://{}", trap.local_addr().expect("an address"));
    let mut child = Command::new(std::env::current_exe().expect("this program is a file"));
    child
        .args(["--exact", name, "--nocapture"])
        .env(TALKS_TO, urls.join(" "));
    for variable in HOSTILE {
        child.env(variable, &trapped);
    }
    let ended = child.output().expect("it runs");
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(
        ended.status.success() && said.contains("1 passed"),
        "{said}"
    );
    let called = trap.accept().expect_err("nobody calls");
    assert!(is_timeout(&called), "{called}");
}

/// What the child talks to; nothing in a run of the whole suite, which has the parents.
#[expect(clippy::disallowed_methods, reason = "how a parent tells its child")]
fn told() -> Vec<String> {
    let told = std::env::var(TALKS_TO).unwrap_or_default();
    told.split_whitespace().map(str::to_owned).collect()
}

#[cfg(feature = "aws")]
mod aws {
    use super::{in_hostile_process, told};
    use crate::{aws, support::value};
    use detectviz_tests::{clouds::moto::Moto, foreign::TempDir};
    use serde_json::json;

    #[test]
    fn nothing_is_read_from_a_hostile_environment() {
        let moto = Moto::start();
        moto.secrets(
            "CreateSecret",
            &json!({"Name": "a", "SecretString": "plain"}),
        );
        in_hostile_process("environment::aws::in_a_child", &[&moto.url()]);
    }

    #[tokio::test]
    async fn in_a_child() {
        let [url] = &told()[..] else { return };
        let dir = TempDir::new();
        let store = aws::store(url, &dir);
        assert_eq!(value(&store, "aws:a", "value").await, "plain");
    }
}

#[cfg(feature = "gcp")]
mod gcp {
    use super::{in_hostile_process, told};
    use crate::{gcp, support::value};
    use detectviz_secrets::gcp::GcpCredentials;
    use detectviz_tests::clouds::gcp::{metadata, secret_manager};

    #[test]
    fn nothing_is_read_from_a_hostile_environment() {
        let (api, _) = secret_manager(gcp::project(&[("p/secrets/db", &[gcp::PLAIN])]));
        let server = metadata("token", 3_600);
        in_hostile_process("environment::gcp::in_a_child", &[api.url(), server.url()]);
        assert_eq!((api.calls().len(), server.calls().len()), (1, 1));
    }

    #[tokio::test]
    async fn in_a_child() {
        let [url, metadata] = &told()[..] else { return };
        let credentials = GcpCredentials::Metadata {
            endpoint: metadata.clone(),
        };
        let store = gcp::store(url, credentials);
        assert_eq!(value(&store, "gcp:db", "value").await, "plain");
    }
}

#[cfg(feature = "azure")]
mod azure {
    use super::{in_hostile_process, told};
    use crate::{azure, support::value};
    use detectviz_secrets::azure::AzureCredentials;
    use detectviz_tests::clouds::azure::{imds, key_vault};
    use serde_json::json;

    #[test]
    fn nothing_is_read_from_a_hostile_environment() {
        let (api, _) = key_vault(azure::vault(&[("db", "plain", json!({}))]));
        let server = imds(None, "canary-token");
        in_hostile_process("environment::azure::in_a_child", &[api.url(), server.url()]);
        assert_eq!((api.calls().len(), server.calls().len()), (2, 1));
    }

    #[tokio::test]
    async fn in_a_child() {
        let [url, metadata] = &told()[..] else { return };
        let credentials = AzureCredentials::ManagedIdentity {
            client_id: None,
            endpoint: metadata.clone(),
        };
        let store = azure::store(url, credentials);
        assert_eq!(value(&store, "azure:db", "value").await, "plain");
    }
}
