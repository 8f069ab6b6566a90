//! Nothing that a store or a library under it logs, at any level, shows a secret, a token or a key.
use crate::support::fetch;
use detectviz_secrets::store::Store;
use detectviz_tests::clouds::lock;
use std::{
    fmt::{Debug, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

/// Writes down everything, of every target at every level.
#[derive(Clone, Default)]
struct Everything {
    said: Arc<Mutex<String>>,
    spans: Arc<AtomicU64>,
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        writeln!(self.0, "  {field}: {value:?}").expect("a text grows");
    }
}

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut Fields(&mut lock(&self.said)));
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Fields(&mut lock(&self.said)));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut said = lock(&self.said);
        writeln!(
            said,
            "{} {}",
            event.metadata().level(),
            event.metadata().target()
        )
        .expect("a text grows");
        event.record(&mut Fields(&mut said));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Fetches, and has the store checked and shown: none of it may say `canary`, which every secret holds.
async fn says_nothing(store: &dyn Store, shown: String, reference: &str) {
    let everything = Everything::default();
    let listening = tracing::subscriber::set_default(everything.clone());
    let fetched = fetch(store, reference).await.expect("it is there");
    store.check().await.expect("it is there");
    drop(listening);
    let said = lock(&everything.said).clone();
    // Whose logs depend on a variable of the environment is not heard at all.
    assert!(!said.contains("aws_smithy_runtime::"), "{said}");
    let said = format!("{said}{fetched:?}{shown}").to_ascii_lowercase();
    let lines = said.lines().filter(|line| line.contains("canary"));
    assert_eq!(lines.collect::<Vec<_>>(), [""; 0]);
    // As bytes, which is how some libraries show a body.
    let bytes = format!("{:?}", b"canary");
    assert!(!said.contains(bytes.trim_matches(['[', ']'])), "as bytes");
}

#[cfg(feature = "aws")]
#[tokio::test]
async fn aws_and_its_sdk_log_no_secret() {
    use crate::support::env_and_file;
    use detectviz_secrets::aws::{AwsConfig, AwsCredentials};
    use detectviz_tests::{
        clouds::{Api, Reply},
        foreign::TempDir,
    };
    use serde_json::json;
    let dir = TempDir::new();
    dir.write("token", "canary-subject");
    let sts = Api::start(|_| {
        Reply::new(
            200,
            "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIATEST</AccessKeyId>\
             <SecretAccessKey>canary-key</SecretAccessKey><SessionToken>canary-session</SessionToken>\
             <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>\
             </AssumeRoleWithWebIdentityResponse>",
        )
    });
    let inner = json!({"password": "canary-value"}).to_string();
    let api = Api::start(move |_| Reply::json(200, &json!({"Name": "a", "SecretString": inner})));
    let credentials = AwsCredentials::WebIdentity {
        role_arn: "arn:aws:iam::123456789012:role/orders".to_owned(),
        token_file: dir.path().join("token"),
        session_name: "orders".to_owned(),
        sts_endpoint: Some(sts.url().to_owned()),
    };
    let config = AwsConfig::default()
        .enabled(true)
        .region("eu-west-1")
        .endpoint(api.url());
    let store = config
        .credentials(credentials)
        .build(env_and_file())
        .expect("a store");
    let shown = format!("{store:?}");
    says_nothing(&store, shown, "aws:a").await;
}

#[cfg(feature = "gcp")]
#[tokio::test]
async fn gcp_logs_no_secret() {
    use crate::gcp::{at, project, store};
    use detectviz_tests::clouds::gcp::{Version, metadata, secret_manager};
    let (api, _) = secret_manager(project(&[(
        "p/secrets/db",
        &[Version::Enabled("Y2FuYXJ5", 0xa05a_f280)],
    )]));
    let server = metadata("canary-token", 3_600);
    let store = store(api.url(), at(&server));
    let shown = format!("{store:?}");
    says_nothing(&store, shown, "gcp:db").await;
}

#[cfg(feature = "azure")]
#[tokio::test]
async fn azure_logs_no_secret() {
    use crate::azure::{identity, store, vault};
    use detectviz_tests::clouds::azure::{imds, key_vault};
    use serde_json::json;
    let (api, _) = key_vault(vault(&[("db", "canary", json!({}))]));
    let server = imds(None, "canary-token");
    let store = store(api.url(), identity(&server));
    let shown = format!("{store:?}");
    says_nothing(&store, shown, "azure:db").await;
}
