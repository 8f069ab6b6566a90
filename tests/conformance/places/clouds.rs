//! AWS Secrets Manager as moto serves it; Google Secret Manager and Azure Key Vault as our fakes of their REST surfaces do.
use crate::secrets::{Place, conform, quick};
use async_trait::async_trait;
use detectviz_core::{secret::SecretRef, task::Tasks};
use detectviz_secrets::{keeper::Keeper, store::Store};
use serde_json::{Map, Value};

/// A store of a cloud, and how a secret is written to it: an object, or nothing to delete it.
struct Cloud<W, R> {
    scheme: &'static str,
    keeper: Keeper,
    write: W,
    /// Has every access refused with what stands for `denied`, for `away`, or not at all.
    refuse: R,
}

/// What a fake of a cloud is told to say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refusal {
    None,
    Denied,
    Away,
}

impl<W, R> Cloud<W, R>
where
    W: Fn(&str, Option<String>) + Send + Sync,
    R: Fn(Refusal) -> bool + Send + Sync,
{
    async fn conforms(scheme: &'static str, store: impl Store, write: W, refuse: R) {
        let keeper = Keeper::new(store, quick(), &Tasks::new());
        let cloud = Self {
            scheme,
            keeper,
            write,
            refuse,
        };
        conform(&cloud).await;
    }
}

#[async_trait]
impl<W, R> Place for Cloud<W, R>
where
    W: Fn(&str, Option<String>) + Send + Sync,
    R: Fn(Refusal) -> bool + Send + Sync,
{
    fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    fn reference(&self, name: &str, field: Option<&str>) -> SecretRef {
        let field = field.map_or(String::new(), |field| format!("#{field}"));
        let text = format!("${{secret:{}:{name}{field}}}", self.scheme);
        text.parse().unwrap()
    }

    async fn put(&self, name: &str, fields: &[(&str, &str)]) -> bool {
        let fields = fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).into()));
        let object = Value::Object(fields.collect::<Map<_, _>>());
        (self.write)(name, Some(object.to_string()));
        true
    }

    async fn delete(&self, name: &str) -> bool {
        (self.write)(name, None);
        true
    }

    async fn deny(&self, denied: bool) -> bool {
        (self.refuse)(if denied {
            Refusal::Denied
        } else {
            Refusal::None
        })
    }

    async fn away(&self, away: bool) -> bool {
        (self.refuse)(if away { Refusal::Away } else { Refusal::None })
    }
}

#[cfg(feature = "aws")]
#[tokio::test]
async fn aws_conforms() {
    use detectviz_secrets::aws::{AwsConfig, AwsCredentials};
    use detectviz_tests::{
        clouds::moto::{Moto, REGION},
        login::env_and_file,
    };
    use serde_json::json;

    let moto = Moto::start();
    let key = |name: &str| format!("${{secret:env:{name}}}").parse().unwrap();
    let config = AwsConfig::default()
        .enabled(true)
        .region(REGION)
        .endpoint(moto.url())
        .credentials(AwsCredentials::static_keys(key("ID"), key("KEY")));
    let login = env_and_file(&[("ID", "AKIATEST"), ("KEY", "canary-key")]);
    let store = config.build(login).unwrap();
    let write = |name: &str, text: Option<String>| {
        let Some(text) = text else {
            let gone = json!({ "SecretId": name, "ForceDeleteWithoutRecovery": true });
            assert_eq!(moto.secrets("DeleteSecret", &gone).0, 200);
            return;
        };
        let new = json!({ "Name": name, "SecretString": text });
        if moto.secrets("CreateSecret", &new).0 != 200 {
            let next = json!({ "SecretId": name, "SecretString": text });
            assert_eq!(moto.secrets("PutSecretValue", &next).0, 200);
        }
    };
    Cloud::conforms("aws", store, write, |_| false).await;
}

#[cfg(feature = "gcp")]
#[tokio::test]
async fn gcp_conforms() {
    use base64::{Engine, prelude::BASE64_STANDARD};
    use detectviz_secrets::gcp::{GcpConfig, GcpCredentials};
    use detectviz_tests::clouds::{
        gcp::{Project, Version, secret_manager},
        lock,
    };

    /// Castagnoli's, bit by bit (RFC 3720, appendix B.4).
    fn crc32c(bytes: &[u8]) -> u32 {
        let step = |sum: u32, _| (sum >> 1) ^ (0x82f6_3b78 & 0_u32.wrapping_sub(sum & 1));
        !bytes
            .iter()
            .fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step))
    }

    let (api, project) = secret_manager(Project::default());
    let config = GcpConfig::default()
        .enabled(true)
        .project("p")
        .endpoint(api.url())
        .credentials(GcpCredentials::Anonymous);
    let write = |name: &str, text: Option<String>| {
        let path = format!("projects/p/secrets/{name}");
        let mut project = lock(&project);
        match text {
            Some(text) => {
                let data: &'static str = BASE64_STANDARD.encode(&text).leak();
                let version = Version::Enabled(data, crc32c(text.as_bytes()));
                project.secrets.entry(path).or_default().push(version);
            }
            None => drop(project.secrets.remove(&path)),
        }
    };
    let refuse = |refusal| {
        lock(&project).refusal = match refusal {
            Refusal::None => None,
            Refusal::Denied => Some((403, "PERMISSION_DENIED", "Permission denied.")),
            Refusal::Away => Some((503, "UNAVAILABLE", "Try again.")),
        };
        true
    };
    Cloud::conforms("gcp", config.build().unwrap(), write, refuse).await;
}

#[cfg(feature = "azure")]
#[tokio::test]
async fn azure_conforms() {
    use detectviz_secrets::azure::{AzureConfig, AzureCredentials};
    use detectviz_tests::{
        clouds::{
            azure::{RESOURCE, Vault, imds, key_vault},
            lock,
        },
        login::env_and_file,
    };
    use serde_json::json;

    let token = "canary-token";
    let (api, vault) = key_vault(Vault {
        token: token.to_owned(),
        ..Vault::default()
    });
    let identity = imds(None, token);
    let config = AzureConfig::default()
        .enabled(true)
        .vault_url(api.url())
        .resource(RESOURCE)
        .credentials(AzureCredentials::ManagedIdentity {
            client_id: None,
            endpoint: identity.url().to_owned(),
        });
    let store = config.build(env_and_file(&[])).unwrap();
    let write = |name: &str, text: Option<String>| {
        let name: &'static str = name.to_owned().leak();
        let mut vault = lock(&vault);
        match text {
            Some(text) => {
                let versions = vault.secrets.entry(name).or_default();
                let id: &'static str = format!("v{}", versions.len() + 1).leak();
                versions.push((id, text, json!({ "enabled": true })));
            }
            None => drop(vault.secrets.remove(name)),
        }
    };
    let refuse = |refusal| {
        lock(&vault).refusal = match refusal {
            Refusal::None => None,
            Refusal::Denied => Some((403, "Forbidden", "ForbiddenByPolicy")),
            Refusal::Away => Some((503, "ServiceUnavailable", "")),
        };
        true
    };
    Cloud::conforms("azure", store, write, refuse).await;
}
