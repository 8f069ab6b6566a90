//! What a server is started with.
use std::time::Duration;

/// Settings of a server; the default is one that is unsealed, in plain HTTP and in real time.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VaultOptions {
    /// How long one second of Vault's lasts; default one second. With 10 ms, a client that is told `lease_duration: 10` has
    /// 100 ms: it must count in the same seconds, or treat what it is told as what it is.
    pub second: Duration,
    /// What the calendar says at the start, in seconds since 1970; default the wall clock.
    pub unix: Option<u64>,
    /// From which everything random follows; default random.
    pub seed: Option<u64>,
    /// Starts it without keys: `sys/init` has to be called. Default `false`.
    pub uninitialized: bool,
    /// Errors of tokens as older releases have them: one that is not known is told "permission denied" and no more, and none at all
    /// is a 400 "missing client token". Default `false`: as `fetchACLTokenEntryAndEntity` of Vault and OpenBao answers now, which
    /// adds "invalid token" to the former and makes the latter a 403 "permission denied".
    pub old_errors: bool,
    /// HTTPS; default plain HTTP.
    pub tls: Option<TlsOptions>,
}

/// Settings of HTTPS.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TlsOptions {
    /// The chain in PEM, the server's own certificate first.
    pub cert: String,
    /// Its key in PEM.
    pub key: String,
    /// What is asked of clients.
    pub clients: ClientCertificates,
}

/// What a server asks of clients in the handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ClientCertificates {
    /// Any certificate is taken, and looked at by `auth/cert` alone: Vault's own default.
    #[default]
    Asked,
    /// One signed by this authority in PEM is demanded: `tls_require_and_verify_client_cert`.
    Demanded(String),
}

// === impl VaultOptions ===

impl Default for VaultOptions {
    fn default() -> Self {
        Self {
            second: Duration::from_secs(1),
            unix: None,
            seed: None,
            uninitialized: false,
            old_errors: false,
            tls: None,
        }
    }
}

impl VaultOptions {
    /// How long one second of Vault's lasts.
    #[must_use]
    pub fn second(mut self, second: Duration) -> Self {
        self.second = second;
        self
    }

    /// What the calendar says at the start, in seconds since 1970.
    #[must_use]
    pub fn unix(mut self, unix: u64) -> Self {
        self.unix = Some(unix);
        self
    }

    /// From which everything random follows.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Whether `sys/init` has to be called.
    #[must_use]
    pub fn uninitialized(mut self, yes: bool) -> Self {
        self.uninitialized = yes;
        self
    }

    /// Whether errors of tokens are as older releases have them.
    #[must_use]
    pub fn old_errors(mut self, yes: bool) -> Self {
        self.old_errors = yes;
        self
    }

    /// HTTPS.
    #[must_use]
    pub fn tls(mut self, tls: TlsOptions) -> Self {
        self.tls = Some(tls);
        self
    }
}

// === impl TlsOptions ===

impl TlsOptions {
    /// With a certificate and its key in PEM.
    #[must_use]
    pub fn new(cert: impl Into<String>, key: impl Into<String>) -> Self {
        Self {
            cert: cert.into(),
            key: key.into(),
            clients: ClientCertificates::Asked,
        }
    }

    /// What is asked of clients.
    #[must_use]
    pub fn clients(mut self, clients: ClientCertificates) -> Self {
        self.clients = clients;
        self
    }
}
