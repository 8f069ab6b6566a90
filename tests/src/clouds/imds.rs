//! The EC2 instance metadata service in version 2, after *Use the Instance Metadata Service to access instance metadata* and
//! *Retrieve security credentials from instance metadata* (Amazon EC2 User Guide).
use super::{Api, Call, Reply};
use http::Method;
use serde_json::json;

/// The service, with a role or without one.
#[must_use]
pub fn service(role: Option<&'static str>) -> Api {
    const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
    Api::start(move |call: &Call| {
        if call.path == "/latest/api/token" {
            let ttl = call.header("x-aws-ec2-metadata-token-ttl-seconds").parse();
            let fine =
                call.method == Method::PUT && ttl.is_ok_and(|ttl: u32| (1..=21_600).contains(&ttl));
            return Reply::new(if fine { 200 } else { 400 }, "session-token");
        }
        if call.header("x-aws-ec2-metadata-token") != "session-token" {
            return Reply::new(401, "");
        }
        let (Some(role), Some(asked)) = (role, call.path.strip_prefix(ROLES)) else {
            return Reply::new(404, "");
        };
        if asked.is_empty() {
            return Reply::new(200, role);
        }
        if asked != role {
            return Reply::new(404, "");
        }
        let given = json!({
            "Code": "Success", "LastUpdated": "2026-11-21T00:00:00Z", "Type": "AWS-HMAC", "AccessKeyId": "ASIATEST",
            "SecretAccessKey": "canary", "Token": "session", "Expiration": "2099-01-01T00:00:00Z",
        });
        Reply::json(200, &given)
    })
}
