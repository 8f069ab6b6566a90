//! Google Secret Manager (*REST: projects.secrets.versions.access*, errors after AIP-193), the metadata server (*Authenticate
//! workloads*), and the Security Token Service with the impersonation of a service account (*REST: token*,
//! *projects.serviceAccounts.generateAccessToken*).
use super::{Api, Call, Reply, lock};
use crate::foreign::{TempDir, filter, python};
use http::Method;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    process::Command,
    sync::{Arc, Mutex},
};

/// What a version of a secret is.
#[derive(Clone, Debug)]
pub enum Version {
    /// A value in base64, and its CRC32C.
    Enabled(&'static str, u32),
    /// Disabled, and can be enabled again.
    Disabled,
    /// Gone.
    Destroyed,
}

/// What Secret Manager knows.
#[derive(Debug, Default)]
pub struct Project {
    /// The token that is accepted; any where it is empty.
    pub token: String,
    /// The versions of each secret, from 1, by `projects/<project>/secrets/<name>`.
    pub secrets: BTreeMap<String, Vec<Version>>,
    /// A refusal of every access: the status, its code and a message.
    pub refusal: Option<(u16, &'static str, &'static str)>,
}

/// Secret Manager, and what it knows.
#[must_use]
pub fn secret_manager(project: Project) -> (Api, Arc<Mutex<Project>>) {
    let project = Arc::new(Mutex::new(project));
    let known = Arc::clone(&project);
    (
        Api::start(move |call: &Call| access(&lock(&known), call)),
        project,
    )
}

fn access(project: &Project, call: &Call) -> Reply {
    let token = call
        .header("authorization")
        .strip_prefix("Bearer ")
        .unwrap_or_default();
    if !project.token.is_empty() && token != project.token {
        return refusal(
            401,
            "UNAUTHENTICATED",
            "Request had invalid authentication credentials.",
        );
    }
    if let Some((status, code, message)) = project.refusal {
        return refusal(status, code, message);
    }
    let path = call
        .path
        .strip_prefix("/v1/")
        .and_then(|path| path.strip_suffix(":access"));
    let parts = path.and_then(|path| path.rsplit_once("/versions/"));
    let Some((secret, version)) = parts.filter(|_| call.method == Method::GET) else {
        return Reply::new(
            404,
            "<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>",
        );
    };
    let versions = project
        .secrets
        .get(secret)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let number = match version {
        "latest" => versions.len(),
        number => number.parse().unwrap_or(0),
    };
    let name = format!("{secret}/versions/{number}");
    match number.checked_sub(1).and_then(|at| versions.get(at)) {
        Some(Version::Enabled(data, sum)) => {
            let payload = json!({"data": data, "dataCrc32c": sum.to_string()});
            Reply::json(200, &json!({"name": name, "payload": payload}))
        }
        Some(Version::Disabled) => refusal(
            400,
            "FAILED_PRECONDITION",
            &format!("Secret Version [{name}] is in DISABLED state."),
        ),
        Some(Version::Destroyed) => refusal(
            400,
            "FAILED_PRECONDITION",
            &format!("Secret Version [{name}] is in DESTROYED state."),
        ),
        None => refusal(
            404,
            "NOT_FOUND",
            &format!("Secret [{secret}] not found or has no versions."),
        ),
    }
}

fn refusal(code: u16, status: &str, message: &str) -> Reply {
    Reply::json(
        code,
        &json!({"error": {"code": code, "message": message, "status": status}}),
    )
}

/// The metadata server, which gives `token` for `expires_in` seconds.
#[must_use]
pub fn metadata(token: &'static str, expires_in: u32) -> Api {
    Api::start(move |call: &Call| {
        let path = "/computeMetadata/v1/instance/service-accounts/default/token";
        if call.header("metadata-flavor") != "Google" {
            return Reply::new(403, "Missing Metadata-Flavor:Google header.");
        }
        if call.path != path {
            return Reply::new(404, "Not Found").header("metadata-flavor", "Google");
        }
        let given =
            json!({"access_token": token, "expires_in": expires_in, "token_type": "Bearer"});
        Reply::json(200, &given).header("metadata-flavor", "Google")
    })
}

/// The Security Token Service, which takes `subject`, and the impersonation of a service account.
#[must_use]
pub fn federation(subject: &'static str) -> Api {
    Api::start(move |call: &Call| {
        let exchange = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange";
        match call.path.as_str() {
            "/v1/token" if call.form("grant_type") != exchange => {
                Reply::json(400, &json!({"error": "invalid_request"}))
            }
            "/v1/token" if call.form("subject_token") != subject => Reply::json(
                400,
                &json!({"error": "invalid_grant", "error_description": "The token is not accepted."}),
            ),
            "/v1/token" => Reply::json(
                200,
                &json!({"access_token": "federated", "expires_in": 3600, "token_type": "Bearer",
                        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token"}),
            ),
            "/v1/projects/-/serviceAccounts/app@p.iam.gserviceaccount.com:generateAccessToken" => {
                match call.header("authorization") {
                    "Bearer federated" => Reply::json(
                        200,
                        &json!({"accessToken": "impersonated", "expireTime": "2099-01-01T00:00:00Z"}),
                    ),
                    _ => refusal(403, "PERMISSION_DENIED", ""),
                }
            }
            _ => Reply::new(404, ""),
        }
    })
}

/// Makes the key of a service account in `dir`, as `key.json`; gives the public key.
///
/// # Panics
/// When Python's `cryptography`, which moto brings, is not there.
#[must_use]
pub fn service_account(dir: &TempDir) -> String {
    let program = "
import json, sys
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric import rsa
key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
private = key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()).decode()
public = key.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo).decode()
json.dump({'private': private, 'public': public}, sys.stdout)
";
    let made = run_python(program, "");
    let made: Value = serde_json::from_str(&made).expect("two keys");
    let key = json!({
        "type": "service_account", "project_id": "p", "private_key_id": "key-1", "private_key": made["private"],
        "client_email": "app@p.iam.gserviceaccount.com", "token_uri": "https://oauth2.googleapis.com/token",
    });
    dir.write("key.json", &key.to_string());
    made["public"].as_str().expect("a text").to_owned()
}

/// The header and the claims of `token`, whose signature by `public` (RS256) an independent library has verified.
///
/// # Panics
/// When the signature is wrong.
#[must_use]
pub fn verified(token: &str, public: &str) -> Value {
    let program = "
import base64, json, sys
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
given = json.load(sys.stdin)
header, claims, signature = given['token'].split('.')
decode = lambda part: base64.urlsafe_b64decode(part + '=' * (-len(part) % 4))
key = serialization.load_pem_public_key(given['public'].encode())
key.verify(decode(signature), (header + '.' + claims).encode(), padding.PKCS1v15(), hashes.SHA256())
json.dump({'header': json.loads(decode(header)), 'claims': json.loads(decode(claims))}, sys.stdout)
";
    let given = json!({"token": token, "public": public}).to_string();
    serde_json::from_str(&run_python(program, &given)).expect("a token")
}

fn run_python(program: &str, input: &str) -> String {
    let mut command = Command::new(python());
    command.args(["-c", program]);
    let (fine, said) = filter(command, "moto[server,secretsmanager]", input.as_bytes());
    assert!(fine, "{said}");
    said
}
