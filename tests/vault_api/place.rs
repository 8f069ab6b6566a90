//! Where a check runs: on a server of ours, and on a real Vault or OpenBao when one is named.
use detectviz_core::error::BoxError;
use detectviz_tests::vault::{VaultAdmin, VaultOptions, VaultServer};
use rustls::crypto::ring;
use std::sync::Mutex;
use vaultrs::client::{VaultClient, VaultClientSettingsBuilder};

/// A Vault, and what a check enabled in it.
pub(crate) struct Place {
    /// A client with the token of the place.
    pub(crate) admin: VaultAdmin,
    /// Ours; `None` for a real one.
    pub(crate) server: Option<VaultServer>,
    /// What is removed at the end.
    enabled: Mutex<Vec<String>>,
}

// === impl Place ===

impl Place {
    /// Ours, and the one that `DETECTVIZ_TEST_VAULT_ADDR` and `DETECTVIZ_TEST_VAULT_TOKEN` name.
    pub(crate) fn all() -> Vec<Self> {
        let server = VaultServer::start(VaultOptions::default());
        let admin = VaultAdmin::new(server.address(), server.root_token());
        let real = VaultAdmin::real().map(|admin| (admin, None));
        let places = [(admin, Some(server))].into_iter().chain(real);
        let place = |(admin, server)| Self {
            admin,
            server,
            enabled: Mutex::default(),
        };
        places.map(place).collect()
    }

    /// Enables an engine, and gives its path.
    pub(crate) async fn mount(&self, kind: &str) -> Result<String, BoxError> {
        let path = name(kind);
        self.admin.enable_mount(&path, kind).await?;
        self.later(format!("sys/mounts/{path}"));
        Ok(path)
    }

    /// Enables an auth method, and gives its path.
    pub(crate) async fn auth(&self, kind: &str) -> Result<String, BoxError> {
        let path = name(kind);
        self.admin.enable_auth(&path, kind).await?;
        self.later(format!("sys/auth/{path}"));
        Ok(path)
    }

    /// Writes a policy, and gives its name.
    pub(crate) async fn policy(&self, rules: &str) -> Result<String, BoxError> {
        let name = name("policy");
        self.admin.put_policy(&name, rules).await?;
        self.later(format!("sys/policies/acl/{name}"));
        Ok(name)
    }

    /// Removes what was enabled.
    pub(crate) async fn close(self) -> Result<(), BoxError> {
        let enabled = self.enabled.into_inner()?;
        for path in enabled.iter().rev() {
            self.admin.delete(path).await?;
        }
        Ok(())
    }

    /// vaultrs, with this token.
    pub(crate) fn client(&self, token: &str) -> Result<VaultClient, BoxError> {
        client(&self.admin.address, token)
    }

    /// vaultrs, with the token of the place.
    pub(crate) fn root(&self) -> Result<VaultClient, BoxError> {
        self.client(&self.admin.token)
    }

    fn later(&self, path: String) {
        self.enabled
            .lock()
            .expect("no check panics here")
            .push(path);
    }
}

/// vaultrs with every value given: neither `VAULT_…` nor a proxy of the environment has a say.
pub(crate) fn client(address: &str, token: &str) -> Result<VaultClient, BoxError> {
    // vaultrs' own constructor takes the process-wide provider.
    let _already = ring::default_provider().install_default();
    let settings = VaultClientSettingsBuilder::default()
        .address(address)
        .token(token)
        .ca_certs(Vec::new())
        .identity(None)
        .verify(true)
        .build()?;
    let mut client = VaultClient::new(settings)?;
    client.http.http = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .build()?;
    Ok(client)
}

/// A name that a real server does not have yet.
pub(crate) fn name(kind: &str) -> String {
    format!("detectviz-{kind}-{:08x}", fastrand::u32(..))
}
