//! A Vault with an application in it, and a store that logs in as that application.
use detectviz_core::{
    secret::{SecretError, SecretRef},
    task::Tasks,
};
use detectviz_secrets::{
    store::{Fetched, Grant, Life, Store},
    vault::{AuthConfig, VaultConfig, VaultStore},
};
use detectviz_tests::{
    login::env_and_file,
    vault::{VaultAdmin, VaultOptions, VaultServer},
};
use serde_json::{Value, json};
use std::path::PathBuf;

/// What the application may do.
const POLICY: &str = r#"
    path "kv/data/*" { capabilities = ["read"] }
    path "old/*" { capabilities = ["read"] }
    path "database/creds/*" { capabilities = ["read"] }
    path "database/static-creds/*" { capabilities = ["read"] }
    path "pki/issue/*" { capabilities = ["update"] }
    path "sys/leases/revoke" { capabilities = ["update"] }
"#;

pub(crate) struct Fixture {
    pub(crate) server: VaultServer,
    /// The same without TLS, for the admin.
    _plain: VaultServer,
    pub(crate) admin: VaultAdmin,
    pub(crate) tasks: Tasks,
}

/// A directory that is removed again.
pub(crate) struct Directory(pub(crate) PathBuf);

// === impl Fixture ===

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with(VaultOptions::default()).await
    }

    /// `kv` is version 2 and `old` version 1, both with `orders`; `database` has the role `orders` (20 minutes, at most an hour);
    /// the user `app` has the password `hunter2`, for an hour and at most a day.
    pub(crate) async fn with(options: VaultOptions) -> Self {
        let server = VaultServer::start(options);
        let plain = server.without_tls();
        let admin = VaultAdmin::new(plain.address(), server.root_token());
        let fixture = Self {
            server,
            _plain: plain,
            admin,
            tasks: Tasks::new(),
        };
        fixture.set_up().await;
        fixture
    }

    async fn set_up(&self) {
        for (path, kind) in [("kv", "kv-v2"), ("old", "kv"), ("database", "database")] {
            self.admin
                .enable_mount(path, kind)
                .await
                .expect("the server of the test takes it");
        }
        self.admin
            .put_policy("app", POLICY)
            .await
            .expect("the server of the test takes it");
        self.admin
            .enable_auth("userpass", "userpass")
            .await
            .expect("the server of the test takes it");
        for (path, body) in [
            (
                "kv/data/orders",
                json!({ "data": { "password": "one", "port": 5432 } }),
            ),
            ("old/orders", json!({ "password": "old" })),
            (
                "database/config/db",
                json!({ "plugin_name": "p", "allowed_roles": "*" }),
            ),
            (
                "database/roles/orders",
                json!({ "db_name": "db", "default_ttl": "20m", "max_ttl": "1h" }),
            ),
        ] {
            self.write(path, body).await;
        }
        self.user("1h", "24h").await;
    }

    /// What tokens of the user `app` last for.
    pub(crate) async fn user(&self, ttl: &str, max_ttl: &str) {
        let user = json!({
            "password": "hunter2", "token_policies": "app", "token_ttl": ttl, "token_max_ttl": max_ttl,
        });
        self.write("auth/userpass/users/app", user).await;
    }

    pub(crate) async fn write(&self, path: &str, body: Value) -> Value {
        self.admin
            .write(path, body)
            .await
            .expect("the server of the test takes it")
    }

    pub(crate) fn config(&self) -> VaultConfig {
        VaultConfig::default()
            .enabled(true)
            .addresses([self.server.address()])
            .auth(userpass())
    }

    pub(crate) fn store(&self) -> VaultStore {
        self.build(self.config())
    }

    pub(crate) fn build(&self, config: VaultConfig) -> VaultStore {
        build(config, &self.tasks)
    }

    pub(crate) fn logins(&self) -> usize {
        self.server.requests("auth/userpass/login")
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

// === impl Directory ===

impl Directory {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("detectviz-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary directory");
        Self(path)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("a temporary directory");
        path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

/// The store of `config`, whose login may use the variable `PASSWORD` and every file.
pub(crate) fn build(config: VaultConfig, tasks: &Tasks) -> VaultStore {
    let bootstrap = env_and_file(&[("PASSWORD", "hunter2")]);
    config
        .build(bootstrap, tasks)
        .expect("a valid configuration")
}

pub(crate) fn userpass() -> AuthConfig {
    AuthConfig::UserPass {
        mount: "userpass".to_owned(),
        username: "app".to_owned(),
        password: "${secret:env:PASSWORD}".parse().expect("a valid reference"),
    }
}

pub(crate) fn file(path: &std::path::Path) -> SecretRef {
    format!("${{secret:file:{}}}", path.display())
        .parse()
        .expect("a valid reference")
}

pub(crate) fn reference(path: &str) -> SecretRef {
    format!("${{secret:vault:{path}}}")
        .parse()
        .expect("a valid reference")
}

pub(crate) async fn fetch(store: &VaultStore, path: &str) -> Result<Fetched, SecretError> {
    store.fetch(&reference(path)).await
}

/// The text of one field.
pub(crate) async fn field(store: &VaultStore, path: &str, name: &str) -> String {
    let fetched = fetch(store, path).await.expect("it is there");
    text(&fetched, name)
}

pub(crate) fn text(fetched: &Fetched, name: &str) -> String {
    fetched.fields[name]
        .expose_str()
        .expect("it is text")
        .to_owned()
}

pub(crate) fn grant(fetched: &Fetched) -> Grant {
    match &fetched.life {
        Life::Leased(grant) => grant.clone(),
        other => panic!("{other:?} is no lease"),
    }
}
