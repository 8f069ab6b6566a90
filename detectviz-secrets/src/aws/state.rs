//! What needs no AWS to be decided: which secret is meant, and what a refusal means.
use crate::cloud::{Failure, Refusal, parameters};
use detectviz_core::secret::{SecretError, SecretErrorKind, SecretRef};

/// Which version of which secret.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted<'a> {
    pub(super) id: &'a str,
    pub(super) stage: Option<&'a str>,
    pub(super) version: Option<&'a str>,
}

/// What AWS says when it refuses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said<'a> {
    pub(super) code: &'a str,
    pub(super) message: &'a str,
    pub(super) status: u16,
}

// === impl Wanted ===

impl<'a> Wanted<'a> {
    /// The secret that `reference` names, for a client of `region`.
    ///
    /// # Errors
    /// `Malformed` for an unknown parameter, a stage beside a version, or an ARN of something else or of another region.
    pub(super) fn parse(reference: &'a SecretRef, region: &str) -> Result<Self, SecretError> {
        let malformed = |remedy| SecretError::new(SecretErrorKind::Malformed, reference, remedy);
        let (id, found) = parameters(reference, &["stage", "version"])?;
        let (stage, version) = (found.get("stage").copied(), found.get("version").copied());
        if stage.is_some() && version.is_some() {
            let remedy = "write `stage` or `version`, not both";
            return Err(malformed(remedy.to_owned()));
        }
        if id.starts_with("arn:") {
            let mut parts = id.split(':').skip(2);
            let (service, its, _account, what) =
                (parts.next(), parts.next(), parts.next(), parts.next());
            if service != Some("secretsmanager") || what != Some("secret") {
                let remedy = "write `arn:aws:secretsmanager:<region>:<account>:secret:<name>`";
                return Err(malformed(remedy.to_owned()));
            }
            if its != Some(region) {
                return Err(malformed(format!(
                    "name a secret of {region}, the `region` of this store: the ARN is of {}",
                    its.unwrap_or_default()
                )));
            }
        }
        Ok(Self { id, stage, version })
    }

    /// The statement of a policy that lets it be read.
    fn statement(&self, region: &str) -> String {
        let resource = match self.id.starts_with("arn:") {
            true => self.id.to_owned(),
            // Secrets Manager appends a hyphen and six characters to every name.
            false => format!(
                "arn:aws:secretsmanager:{region}:<account>:secret:{}-??????",
                self.id
            ),
        };
        format!(
            r#"{{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "{resource}"}}"#
        )
    }
}

/// What a refused GetSecretValue means.
pub(super) fn refused(wanted: &Wanted<'_>, region: &str, said: Said<'_>) -> Refusal {
    let Said { code, message, .. } = said;
    let id = wanted.id;
    let kms = "give the role `kms:Decrypt` on the key that encrypts the secret, in its policy and in that of the key";
    let (kind, remedy) = match code {
        "ResourceNotFoundException" => match (wanted.stage, wanted.version) {
            (Some(stage), _) => (
                SecretErrorKind::NotFound,
                format!(
                    "create `{id}` in {region} with a version labelled {stage}, or correct the reference"
                ),
            ),
            (_, Some(version)) => (
                SecretErrorKind::NotFound,
                format!("name a version of `{id}` in {region} that is there: {version} is not"),
            ),
            _ => (
                SecretErrorKind::NotFound,
                format!("create `{id}` in {region} and give it a value, or correct the name"),
            ),
        },
        "InvalidRequestException" if message.contains("marked") && message.contains("delet") => (
            SecretErrorKind::NotFound,
            format!(
                "restore it (`aws secretsmanager restore-secret --secret-id {id}`): it is marked for deletion"
            ),
        ),
        "InvalidRequestException" | "InvalidParameterException" | "ValidationException" => (
            SecretErrorKind::Malformed,
            format!(
                "correct the reference: Secrets Manager says {code}: {}",
                short(message)
            ),
        ),
        "AccessDeniedException" | "AccessDenied"
            if message.contains("KMS") || message.contains("kms:") =>
        {
            (
                SecretErrorKind::Denied,
                format!("{kms}: {}", short(message)),
            )
        }
        "AccessDeniedException" | "AccessDenied" => (
            SecretErrorKind::Denied,
            format!(
                "give the role {}: {}",
                wanted.statement(region),
                short(message)
            ),
        ),
        "DecryptionFailure" => (
            SecretErrorKind::Denied,
            format!("enable the KMS key of the secret, and {kms}"),
        ),
        _ => return common(said),
    };
    Refusal {
        failure: Failure::new(kind, remedy),
        stale: false,
    }
}

/// What a refused login at STS means.
pub(super) fn login_refused(role: &str, said: Said<'_>) -> Failure {
    let Said { code, message, .. } = said;
    match code {
        "AccessDenied" | "AccessDeniedException" => Failure::denied(format!(
            "let the trust policy of {role} accept this service account (`sts:AssumeRoleWithWebIdentity`, with the `sub` \
             `system:serviceaccount:<namespace>:<name>`)"
        )),
        "InvalidIdentityToken" | "InvalidIdentityTokenException" => Failure::denied(format!(
            "register the issuer of the cluster as an identity provider in IAM, with the audience of the token: {}",
            short(message)
        )),
        "ExpiredTokenException" | "ExpiredToken" => Failure::denied(
            "mount a projected token that the kubelet renews: that in `token_file` has ended",
        ),
        "IDPCommunicationError" => Failure::unavailable(
            "let STS reach the issuer of the cluster (its OpenID discovery document)",
        ),
        _ => common(said).failure,
    }
}

/// Errors that every service of AWS has.
fn common(
    Said {
        code,
        message,
        status,
    }: Said<'_>,
) -> Refusal {
    let fresh = |failure| Refusal {
        failure,
        stale: false,
    };
    let stale = |remedy: &str| Refusal {
        failure: Failure::denied(remedy),
        stale: true,
    };
    match code {
        "ExpiredTokenException" | "ExpiredToken" | "RequestExpired" => stale(
            "renew the credentials, and set the clock of the node: AWS says that they have ended",
        ),
        "UnrecognizedClientException" | "InvalidClientTokenId" => stale(
            "correct the access key: AWS does not know it (or not in this partition or region)",
        ),
        "InvalidSignatureException" | "SignatureDoesNotMatch" => stale(
            "correct the secret access key, and set the clock of the node: the signature is not accepted",
        ),
        _ if status == 429
            || code.contains("Throttl")
            || code == "TooManyRequestsException"
            || code == "LimitExceededException" =>
        {
            fresh(Failure::unavailable(
                "ask less often, or raise the quota: AWS throttles this account",
            ))
        }
        _ if status >= 500 => fresh(Failure::unavailable(format!(
            "wait, and look at the health of AWS in this region: it answered {status} {code}"
        ))),
        "" => fresh(Failure::unavailable(format!(
            "find out who answers in place of AWS: {status}, without a code"
        ))),
        _ => fresh(Failure::denied(format!(
            "see what AWS says: {code}: {}",
            short(message)
        ))),
    }
}

/// One line of what AWS says.
fn short(message: &str) -> String {
    let shown = message.chars().filter(|c| !c.is_control());
    shown.take(400).collect()
}
