//! Where the API server is, whom we trust there, and who we are.
use super::{error::Failure, kubeconfig};
use crate::source;
use k8s_openapi::ByteString;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use serde::{
    Deserialize,
    de::value::{Error as ValueError, StrDeserializer},
};
use std::{
    fmt,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// What says where the API server is.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// The service account of the pod, mounted at `directory`.
    Pod {
        host: String,
        port: String,
        directory: PathBuf,
    },
    Kubeconfig {
        path: PathBuf,
        context: Option<String>,
    },
}

/// All that is needed to ask.
pub(super) struct Access {
    /// Scheme, host, port and a path that stands before `/api`, without a slash at the end.
    pub(super) server: String,
    /// The name that the certificate must have, where it is not the host.
    pub(super) server_name: Option<ServerName<'static>>,
    /// Who may sign the server's certificate; empty where the server speaks without TLS.
    pub(super) authorities: Vec<CertificateDer<'static>>,
    pub(super) identity: Option<Identity>,
    pub(super) token: Token,
    /// The namespace of references that name none.
    pub(super) namespace: Option<String>,
}

/// A client certificate with its chain.
pub(super) struct Identity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

/// What is sent as bearer token.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Token {
    None,
    Value(Zeroizing<String>),
    /// Read again for each request, since the kubelet replaces it.
    File(PathBuf),
}

// === impl Origin ===

impl Origin {
    /// Reads everything anew. Blocks.
    pub(super) fn read(&self) -> Result<Access, Failure> {
        match self {
            Self::Pod {
                host,
                port,
                directory,
            } => {
                let authority = directory.join("ca.crt");
                Ok(Access {
                    server: url(host, port),
                    server_name: None,
                    authorities: certificates(&file(&authority)?, &authority.display())?,
                    identity: None,
                    token: Token::File(directory.join("token")),
                    namespace: own_namespace(&directory.join("namespace"))?,
                })
            }
            Self::Kubeconfig { path, context } => {
                kubeconfig::read(path, &file(path)?, context.as_deref())
            }
        }
    }
}

// === impl Token ===

impl Token {
    /// The token as it is now. Blocks.
    pub(super) fn read(&self) -> Result<Option<Zeroizing<String>>, Failure> {
        let path = match self {
            Self::None => return Ok(None),
            Self::Value(token) => return Ok(Some(token.clone())),
            Self::File(path) => path,
        };
        let bytes = file(path)?;
        let text = std::str::from_utf8(&bytes).map(str::trim).unwrap_or("");
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::setup(
                format!("{} holds no token", path.display()),
                "mount the token of a service account there",
            ));
        }
        Ok(Some(Zeroizing::new(text.to_owned())))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Value(_) => f.write_str("Value([redacted])"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

/// An IPv6 address stands in brackets in a URL, and without them in the environment of a pod.
fn url(host: &str, port: &str) -> String {
    if host.contains(':') && !host.starts_with('[') {
        format!("https://[{host}]:{port}")
    } else {
        format!("https://{host}:{port}")
    }
}

/// The bytes of a file that must be there.
pub(super) fn file(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    source::read_file(path).map_err(|err| {
        Failure::setup(
            format!("{} cannot be read ({err})", path.display()),
            "mount the service account (`automountServiceAccountToken`), or name a kubeconfig that this user may read",
        )
    })
}

/// All certificates of a PEM text; `place` says where it stands.
pub(super) fn certificates(
    pem: &[u8],
    place: &dyn fmt::Display,
) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(Failure::setup(
            format!("{place} holds no certificate"),
            "put certificates there in PEM",
        )),
    }
}

/// The key of a PEM text.
pub(super) fn private_key(
    pem: &[u8],
    place: &dyn fmt::Display,
) -> Result<PrivateKeyDer<'static>, Failure> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| {
        Failure::setup(
            format!("{place} holds no private key"),
            "put the key of the client certificate there in PEM",
        )
    })
}

/// What a text of base64 stands for.
pub(super) fn base64(text: &str, place: &dyn fmt::Display) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let text: StrDeserializer<'_, ValueError> =
        serde::de::IntoDeserializer::into_deserializer(text);
    match ByteString::deserialize(text) {
        Ok(bytes) => Ok(Zeroizing::new(bytes.0)),
        Err(_) => Err(Failure::setup(
            format!("{place} is not base64"),
            "write it as kubectl does",
        )),
    }
}

/// The namespace in the file beside the token; a token that is projected by hand may have none beside it.
fn own_namespace(path: &Path) -> Result<Option<String>, Failure> {
    match source::read_file(path) {
        Ok(bytes) => {
            let text = std::str::from_utf8(&bytes).map(str::trim).unwrap_or("");
            Ok(Some(text.to_owned()).filter(|text| super::name::is_label(text)))
        }
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(err) => Err(Failure::setup(
            format!("{} cannot be read ({err})", path.display()),
            "let this user read it, or set `namespace`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_the_service_is_a_url_for_each_family() {
        for (host, expected) in [
            ("10.96.0.1", "https://10.96.0.1:443"),
            ("fd00::1", "https://[fd00::1]:443"),
            ("[fd00::1]", "https://[fd00::1]:443"),
            (
                "kubernetes.default.svc",
                "https://kubernetes.default.svc:443",
            ),
        ] {
            assert_eq!(url(host, "443"), expected);
        }
    }

    #[test]
    fn s10_a_token_never_shows_itself() {
        let token = Token::Value(Zeroizing::new("canary".to_owned()));
        assert!(!format!("{token:?}").contains("canary"));
    }
}
