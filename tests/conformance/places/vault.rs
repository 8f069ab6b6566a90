//! Vault: key and value, both versions, read with a login of an application. Against our server of its API, and against the real
//! Vault or OpenBao that `DETECTVIZ_TEST_VAULT_ADDR` and `DETECTVIZ_TEST_VAULT_TOKEN` name.
use crate::secrets::{Place, conform, quick};
use async_trait::async_trait;
use detectviz_core::{secret::SecretRef, task::Tasks};
use detectviz_secrets::{
    keeper::Keeper,
    vault::{AuthConfig, VaultConfig},
};
use detectviz_tests::{
    login::env_and_file,
    vault::{VaultAdmin, VaultOptions, VaultServer},
};
use serde_json::{Map, Value, json};

struct Vault {
    /// `None` for a real one.
    server: Option<VaultServer>,
    admin: VaultAdmin,
    /// Of the mount of secrets; that of logins is called likewise.
    mount: String,
    is_v2: bool,
    keeper: Keeper,
}

impl Vault {
    async fn start(kind: &str) -> Self {
        let real = VaultAdmin::real();
        let server = match &real {
            Some(_) => None,
            None => Some(VaultServer::start(VaultOptions::default())),
        };
        let own = |server: &VaultServer| VaultAdmin::new(server.address(), server.root_token());
        let admin = real.or_else(|| server.as_ref().map(own)).unwrap();
        let mount = format!("conform-{kind}-{}", std::process::id());
        admin.enable_mount(&mount, kind).await.unwrap();
        let logins = format!("{mount}-logins");
        admin.enable_auth(&logins, "userpass").await.unwrap();
        let user = json!({ "password": "hunter2", "token_policies": mount.as_str() });
        let path = format!("auth/{logins}/users/app");
        admin.write(&path, user).await.unwrap();
        let auth = AuthConfig::UserPass {
            mount: logins,
            username: "app".to_owned(),
            password: "${secret:env:PASSWORD}".parse().unwrap(),
        };
        let config = VaultConfig::default().enabled(true);
        let config = config.addresses([admin.address()]).auth(auth);
        let tasks = Tasks::new();
        let login = env_and_file(&[("PASSWORD", "hunter2")]);
        let store = config.build(login, &tasks).unwrap();
        let vault = Self {
            server,
            admin,
            is_v2: kind == "kv-v2",
            mount,
            keeper: Keeper::new(store, quick(), &tasks),
        };
        vault.allow("read").await;
        vault
    }

    async fn allow(&self, capability: &str) {
        let mount = &self.mount;
        let rules = format!(r#"path "{mount}/*" {{ capabilities = ["{capability}"] }}"#);
        self.admin.put_policy(mount, &rules).await.unwrap();
    }

    fn path(&self, name: &str) -> String {
        let data = if self.is_v2 { "data/" } else { "" };
        format!("{}/{data}{name}", self.mount)
    }

    async fn clean(&self) {
        let mount = &self.mount;
        self.admin.disable_mount(mount).await.unwrap();
        let logins = format!("{mount}-logins");
        self.admin.disable_auth(&logins).await.unwrap();
        let policy = format!("sys/policies/acl/{mount}");
        self.admin.delete(&policy).await.unwrap();
    }
}

#[async_trait]
impl Place for Vault {
    fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    fn reference(&self, name: &str, field: Option<&str>) -> SecretRef {
        let field = field.map_or(String::new(), |field| format!("#{field}"));
        let text = format!("${{secret:vault:{}/{name}{field}}}", self.mount);
        text.parse().unwrap()
    }

    async fn put(&self, name: &str, fields: &[(&str, &str)]) -> bool {
        let fields = fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).into()));
        let fields = Value::Object(fields.collect::<Map<_, _>>());
        let body = match self.is_v2 {
            true => json!({ "data": fields }),
            false => fields,
        };
        self.admin.write(&self.path(name), body).await.unwrap();
        true
    }

    async fn delete(&self, name: &str) -> bool {
        self.admin.delete(&self.path(name)).await.unwrap();
        true
    }

    async fn deny(&self, denied: bool) -> bool {
        self.allow(if denied { "deny" } else { "read" }).await;
        true
    }

    async fn away(&self, away: bool) -> bool {
        let Some(server) = &self.server else {
            return false;
        };
        match away {
            true => server.stop().await,
            false => server.resume(),
        }
        true
    }
}

#[tokio::test]
async fn vault_conforms_with_both_versions_of_key_and_value() {
    for kind in ["kv-v2", "kv"] {
        let vault = Vault::start(kind).await;
        conform(&vault).await;
        vault.clean().await;
    }
}
