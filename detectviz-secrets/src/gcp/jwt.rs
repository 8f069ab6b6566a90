//! A token that the key of a service account signs for itself (AIP-4111): no exchange, no further address.
use crate::cloud::Failure;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use detectviz_core::secret::SecretErrorKind;
use rustls::{SignatureScheme, crypto::ring::sign::any_supported_type, pki_types::PrivateKeyDer};
use rustls_pki_types::pem::PemObject;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;
use zeroize::Zeroizing;

/// What the tokens are for.
pub(super) const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// How long a token may last at most (AIP-4111).
pub(super) const LIFE: Duration = Duration::from_secs(3_600);

/// The key of a service account, as Google gives it out.
#[derive(Deserialize)]
pub(super) struct ServiceAccount {
    client_email: String,
    private_key_id: String,
    private_key: Zeroizing<String>,
}

// === impl ServiceAccount ===

impl ServiceAccount {
    /// The key in `bytes`.
    ///
    /// # Errors
    /// `Malformed` for anything else.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Failure> {
        serde_json::from_slice(bytes).map_err(|_| {
            malformed("write the JSON key of a service account (`gcloud iam service-accounts keys create`)")
        })
    }

    /// A token that starts at `now`, in seconds since 1970.
    ///
    /// # Errors
    /// `Malformed` for a key that is no RSA key.
    pub(super) fn sign(&self, now: u64) -> Result<Zeroizing<String>, Failure> {
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": self.private_key_id});
        let claims = json!({
            "iss": self.client_email, "sub": self.client_email, "scope": SCOPE, "iat": now, "exp": now + LIFE.as_secs(),
        });
        let encode = |part: &serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let no_key = || malformed("write the whole `private_key`, an RSA key in PKCS #8");
        let key =
            PrivateKeyDer::from_pem_slice(self.private_key.as_bytes()).map_err(|_| no_key())?;
        let key = any_supported_type(&key).map_err(|_| no_key())?;
        let signer = key
            .choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256])
            .ok_or_else(no_key)?;
        let signature = signer.sign(signed.as_bytes()).map_err(|_| no_key())?;
        Ok(Zeroizing::new(format!(
            "{signed}.{}",
            URL_SAFE_NO_PAD.encode(signature)
        )))
    }
}

fn malformed(remedy: &str) -> Failure {
    Failure::new(
        SecretErrorKind::Malformed,
        format!("{remedy} to `credentials.file`"),
    )
}
