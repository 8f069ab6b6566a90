//! What a kubeconfig says.
//!
//! Source: <https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/>. What would run a program, skip a check or take
//! another way than the one that is written is refused.
use super::{
    access::{Access, Identity, Token, base64, certificates, file, private_key},
    error::Failure,
};
use kube::config::{AuthInfo, Cluster, Kubeconfig};
use rustls_pki_types::{CertificateDer, ServerName};
use secrecy::ExposeSecret;
use std::path::Path;
use zeroize::Zeroizing;

/// One kubeconfig, and what names it in errors.
struct Reader<'a> {
    path: &'a Path,
    context: String,
}

/// Bytes, after how to call the place where they stand.
type Placed = (String, Zeroizing<Vec<u8>>);

/// Reads `bytes`, the kubeconfig at `path`. Blocks where it names files, which are relative to its directory.
pub(super) fn read(path: &Path, bytes: &[u8], context: Option<&str>) -> Result<Access, Failure> {
    // The parser's own error would quote the text, and with it a token.
    let text = std::str::from_utf8(bytes).ok();
    let parsed = text.and_then(|text| Kubeconfig::from_yaml(text).ok());
    let Some(kubeconfig) = parsed else {
        return Err(Failure::setup(
            format!("{} is no kubeconfig", path.display()),
            "write YAML as `kubectl config view --raw` does",
        ));
    };
    let Some(name) = context.map(str::to_owned).or(kubeconfig.current_context) else {
        return Err(Failure::setup(
            format!("{} has no current-context", path.display()),
            "set `context`",
        ));
    };
    let reader = Reader {
        path,
        context: name,
    };
    let found = kubeconfig
        .contexts
        .into_iter()
        .find(|c| c.name == reader.context);
    let Some(context) = found.and_then(|named| named.context) else {
        return Err(reader.wrong(
            "is not there",
            "correct `context`, or `current-context` in it",
        ));
    };
    let cluster = kubeconfig
        .clusters
        .into_iter()
        .find(|c| c.name == context.cluster);
    let Some(cluster) = cluster.and_then(|named| named.cluster) else {
        return Err(reader.wrong("names a cluster that is not there", "add the cluster"));
    };
    let user = kubeconfig
        .auth_infos
        .into_iter()
        .find(|u| Some(&u.name) == context.user.as_ref());
    let user = user.and_then(|named| named.auth_info).unwrap_or_default();
    reader.access(&cluster, &user, context.namespace)
}

// === impl Reader ===

impl Reader<'_> {
    fn access(
        &self,
        cluster: &Cluster,
        user: &AuthInfo,
        namespace: Option<String>,
    ) -> Result<Access, Failure> {
        self.refuse(cluster, user)?;
        let server = cluster.server.as_deref().unwrap_or_default();
        let server = server.trim_end_matches('/').to_owned();
        let server_name = cluster.tls_server_name.clone();
        let server_name = server_name.map(ServerName::try_from).transpose();
        let server_name = server_name.map_err(|_| {
            self.wrong(
                "has a `tls-server-name` that is no name of a host",
                "correct it",
            )
        })?;
        let token = self.token(user);
        let identity = self.identity(user)?;
        let authorities = if server.starts_with("https://") {
            self.authorities(cluster)?
        } else if !server.starts_with("http://") {
            return Err(self.wrong(
                "has a cluster without a URL",
                "write `server: https://host:port`",
            ));
        } else if token == Token::None && identity.is_none() {
            Vec::new()
        } else {
            return Err(self.wrong(
                "would send credentials without TLS",
                "write `server: https://…`",
            ));
        };
        Ok(Access {
            server,
            server_name,
            authorities,
            identity,
            token,
            namespace: namespace.filter(|namespace| !namespace.is_empty()),
        })
    }

    fn refuse(&self, cluster: &Cluster, user: &AuthInfo) -> Result<(), Failure> {
        let acts_as = user.impersonate.is_some()
            || user.impersonate_uid.is_some()
            || user.impersonate_groups.is_some()
            || user.impersonate_user_extra.is_some();
        let instead =
            "use the token of a service account (`token`, `tokenFile`), or a client certificate";
        for (found, what, remedy) in [
            (user.exec.is_some(), "runs a program (`exec`)", instead),
            (
                user.auth_provider.is_some(),
                "has an `auth-provider`",
                instead,
            ),
            (
                user.username.is_some() || user.password.is_some(),
                "has a user name with a password",
                instead,
            ),
            (acts_as, "acts as somebody else (`as`)", instead),
            (
                cluster.insecure_skip_tls_verify == Some(true),
                "trusts every server (`insecure-skip-tls-verify`)",
                "write `certificate-authority`",
            ),
            (
                cluster.proxy_url.is_some(),
                "has a `proxy-url`",
                "name an address that is reached without a proxy",
            ),
        ] {
            if found {
                return Err(self.wrong(&format!("{what}, which is not served"), remedy));
            }
        }
        Ok(())
    }

    fn token(&self, user: &AuthInfo) -> Token {
        // client-go takes the token where there are both.
        let value = user.token.as_ref().map(|token| token.expose_secret());
        if let Some(token) = value.filter(|token| !token.is_empty()) {
            return Token::Value(Zeroizing::new(token.to_owned()));
        }
        match &user.token_file {
            Some(path) => Token::File(self.beside(path)),
            None => Token::None,
        }
    }

    fn identity(&self, user: &AuthInfo) -> Result<Option<Identity>, Failure> {
        let chain = self.certificates(
            "client-certificate",
            user.client_certificate_data.as_deref(),
            user.client_certificate.as_deref(),
        )?;
        let data = user.client_key_data.as_ref().map(|key| key.expose_secret());
        let key = self.bytes("client-key", data, user.client_key.as_deref())?;
        match (chain, key) {
            (None, None) => Ok(None),
            (Some(chain), Some((place, pem))) => Ok(Some(Identity {
                chain,
                key: private_key(&pem, &place)?,
            })),
            _ => Err(self.wrong(
                "has half a client certificate",
                "write both `client-certificate` and `client-key`",
            )),
        }
    }

    fn authorities(&self, cluster: &Cluster) -> Result<Vec<CertificateDer<'static>>, Failure> {
        let found = self.certificates(
            "certificate-authority",
            cluster.certificate_authority_data.as_deref(),
            cluster.certificate_authority.as_deref(),
        )?;
        found.ok_or_else(|| {
            self.wrong(
                "has a cluster without a certificate authority",
                "write `certificate-authority`: the certificates of the system are not taken",
            )
        })
    }

    fn certificates(
        &self,
        key: &str,
        data: Option<&str>,
        path: Option<&str>,
    ) -> Result<Option<Vec<CertificateDer<'static>>>, Failure> {
        let found = self.bytes(key, data, path)?;
        found
            .map(|(place, pem)| certificates(&pem, &place))
            .transpose()
    }

    /// What stands in the kubeconfig as base64, or else in the file that it names.
    fn bytes(
        &self,
        key: &str,
        data: Option<&str>,
        path: Option<&str>,
    ) -> Result<Option<Placed>, Failure> {
        if let Some(data) = data.filter(|data| !data.is_empty()) {
            let place = format!("{key}-data in {}", self.path.display());
            let bytes = base64(data, &place)?;
            return Ok(Some((place, bytes)));
        }
        let Some(path) = path.filter(|path| !path.is_empty()) else {
            return Ok(None);
        };
        let path = self.beside(path);
        let bytes = file(&path)?;
        Ok(Some((path.display().to_string(), bytes)))
    }

    fn beside(&self, path: &str) -> std::path::PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }

    fn wrong(&self, what: &str, remedy: &str) -> Failure {
        let (context, path) = (&self.context, self.path.display());
        Failure::setup(format!("context `{context}` of {path} {what}"), remedy)
    }
}
