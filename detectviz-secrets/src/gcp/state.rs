//! What needs no Google to be decided: which secret is meant, what an answer holds, and what a refusal means.
use crate::{
    cloud::{Failure, Refusal, parameters},
    payload,
    store::Fields,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use detectviz_core::secret::{SecretError, SecretErrorKind, SecretRef};
use serde::Deserialize;
use std::borrow::Cow;
use zeroize::Zeroizing;

/// Which version of which secret.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted<'a> {
    pub(super) project: &'a str,
    pub(super) location: Option<&'a str>,
    pub(super) name: &'a str,
    pub(super) version: &'a str,
}

/// What Google says when it refuses (AIP-193).
#[derive(Debug, Default, Deserialize)]
struct Said {
    #[serde(default)]
    error: Status,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    status: String,
    message: String,
}

/// An AccessSecretVersionResponse.
#[derive(Deserialize)]
struct Access<'a> {
    name: String,
    #[serde(borrow)]
    payload: Payload<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    #[serde(borrow, default)]
    data: Cow<'a, str>,
    data_crc32c: Option<Int64>,
}

/// An int64 is a text in JSON (ProtoJSON), and read as a number too.
#[derive(Deserialize)]
#[serde(untagged)]
enum Int64 {
    Text(String),
    Number(i64),
}

// === impl Wanted ===

impl<'a> Wanted<'a> {
    /// The secret that `reference` names; of `project` where it names none.
    ///
    /// # Errors
    /// `Malformed` for what is no name of a secret.
    pub(super) fn parse(reference: &'a SecretRef, project: &'a str) -> Result<Self, SecretError> {
        let (path, _) = parameters(reference, &[])?;
        let mut parts = path.split('/').collect::<Vec<_>>();
        let version = match parts[..] {
            [.., "versions", version] => {
                parts.truncate(parts.len() - 2);
                version
            }
            _ => "latest",
        };
        let (project, location, name) = match parts[..] {
            [name] => (project, None, name),
            ["projects", project, "secrets", name] => (project, None, name),
            ["projects", project, "locations", location, "secrets", name] => {
                (project, Some(location), name)
            }
            _ => ("", None, ""),
        };
        if !(is_project(project)
            && is_name(name)
            && is_name(version)
            && location.is_none_or(is_name))
        {
            let remedy = "write `<name>`, or `projects/<project>/secrets/<name>`, and behind it `/versions/<number or \
                          alias>` where it is not the latest";
            return Err(SecretError::new(
                SecretErrorKind::Malformed,
                reference,
                remedy,
            ));
        }
        Ok(Self {
            project,
            location,
            name,
            version,
        })
    }

    /// The path of the call.
    pub(super) fn path(&self) -> String {
        let location = self
            .location
            .map(|location| format!("/locations/{location}"));
        format!(
            "/v1/projects/{}{}/secrets/{}/versions/{}:access",
            self.project,
            location.unwrap_or_default(),
            self.name,
            self.version
        )
    }
}

/// Whether it may be the id or the number of a project; those of a domain have a colon and dots.
pub(super) fn is_project(text: &str) -> bool {
    let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.:".contains(&b);
    !text.is_empty() && text.len() <= 100 && text.bytes().all(known)
}

fn is_name(text: &str) -> bool {
    let known = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    !text.is_empty() && text.len() <= 255 && text.bytes().all(known)
}

/// The fields of an answer, and the number of the version.
///
/// # Errors
/// `Unavailable` for an answer that is none, or whose checksum does not fit.
pub(super) fn fields(body: &[u8]) -> Result<(Fields, String), Failure> {
    let odd = || {
        Failure::unavailable(
            "find out who answers in place of Secret Manager: the answer could not be understood",
        )
    };
    let access: Access<'_> = serde_json::from_slice(body).map_err(|_| odd())?;
    let data = Zeroizing::new(access.payload.data.into_owned());
    // Not grown while it is decoded, so that nothing of it is left behind.
    let mut bytes = Zeroizing::new(vec![0; data.len()]);
    let length = STANDARD.decode_slice(data.as_bytes(), &mut bytes[..]);
    let bytes = &bytes[..length.map_err(|_| odd())?];
    let sum = match access.payload.data_crc32c {
        Some(Int64::Text(text)) => Some(text.parse().map_err(|_| odd())?),
        Some(Int64::Number(number)) => Some(number),
        None => None,
    };
    if sum.is_some_and(|sum| sum != i64::from(crc32c(bytes))) {
        return Err(Failure::unavailable(
            "ask again: the payload was damaged on its way (its CRC32C does not fit)",
        ));
    }
    let version = access.name.rsplit('/').next().unwrap_or_default();
    Ok((payload::json_or_value(bytes), version.to_owned()))
}

/// What a refused access means.
pub(super) fn refused(wanted: &Wanted<'_>, status: u16, body: &[u8]) -> Refusal {
    let Wanted {
        project,
        name,
        version,
        ..
    } = *wanted;
    let said = serde_json::from_slice::<Said>(body)
        .unwrap_or_default()
        .error;
    let fresh = |kind, remedy| Refusal {
        failure: Failure::new(kind, remedy),
        stale: false,
    };
    let disabled = said.message.contains("SERVICE_DISABLED")
        || said.message.contains("has not been used in project")
        || said.message.contains("is disabled");
    match (said.status.as_str(), status) {
        ("NOT_FOUND", _) => fresh(
            SecretErrorKind::NotFound,
            format!(
                "create the secret `{name}` in project {project} with version {version}, or correct the reference"
            ),
        ),
        ("FAILED_PRECONDITION", _) => {
            let state = if said.message.contains("DESTROYED") {
                "destroyed"
            } else {
                "disabled"
            };
            fresh(
                SecretErrorKind::NotFound,
                format!("enable version {version} of `{name}`, or add a new one: it is {state}"),
            )
        }
        ("INVALID_ARGUMENT", _) => fresh(
            SecretErrorKind::Malformed,
            format!(
                "correct the reference, or `endpoint` for a regional secret: Google says {}",
                short(&said.message)
            ),
        ),
        ("PERMISSION_DENIED", _) if disabled => fresh(
            SecretErrorKind::Denied,
            format!(
                "enable the API: gcloud services enable secretmanager.googleapis.com --project {project}"
            ),
        ),
        ("PERMISSION_DENIED", _) => fresh(
            SecretErrorKind::Denied,
            format!(
                "grant the role: gcloud secrets add-iam-policy-binding {name} --project {project} --role \
                 roles/secretmanager.secretAccessor --member <the service account or principal of this pod>"
            ),
        ),
        ("UNAUTHENTICATED", _) => Refusal {
            failure: Failure::denied(
                "give valid credentials, and set the clock of the node: Google does not accept the token",
            ),
            stale: true,
        },
        ("RESOURCE_EXHAUSTED", _) | (_, 429) => fresh(
            SecretErrorKind::Unavailable,
            format!("ask less often, or raise the quota of project {project}: Google throttles it"),
        ),
        (code, 500..) => fresh(
            SecretErrorKind::Unavailable,
            format!("wait, and look at the health of Google Cloud: it answered {status} {code}"),
        ),
        ("", _) => fresh(
            SecretErrorKind::Unavailable,
            format!("find out who answers in place of Secret Manager: {status}, without a code"),
        ),
        (code, _) => fresh(
            SecretErrorKind::Denied,
            format!("see what Google says: {code}: {}", short(&said.message)),
        ),
    }
}

/// One line of what Google says.
fn short(message: &str) -> String {
    let shown = message.chars().filter(|c| !c.is_control());
    shown.take(400).collect()
}

/// CRC-32C (Castagnoli), reflected (RFC 3720, appendix B.4). A payload has at most 64 KiB, so that a table would save nothing.
pub(super) fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
    let byte = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc));
    !bytes.iter().fold(!0, byte)
}
